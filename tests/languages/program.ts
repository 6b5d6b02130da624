import * as prism from "./index";

const vm = new prism.ConfidentialVM("trainer", {vcpus: 2, limits: {memoryMib: 2048}});
const sum = new prism.Computation("sum", {
    description: "adds numbers",
    agent: {logLevel: prism.LogLevel.Info},
});
const stack = new prism.StackFile("dev", {path: "stacks/dev.yaml"});

export const computation = sum.id;
export const address = vm.agentAddress;
export const computations = stack.computations;
export const known = prism.getComputationOutput({name: "sum"}).status;
