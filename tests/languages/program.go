package main

import (
	"prism-iac/sdk/go/prism"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		sum, err := prism.NewComputation(ctx, "sum", &prism.ComputationArgs{
			Description: pulumi.String("adds numbers"),
			Agent:       &prism.AgentConfigArgs{LogLevel: prism.LogLevelInfo},
		})
		if err != nil {
			return err
		}
		ctx.Export("computation", sum.ID())
		return nil
	})
}
