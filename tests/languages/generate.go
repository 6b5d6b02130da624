// Makes the packages of every language from a schema, with the engine's own generators.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	gogen "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	nodegen "github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	pygen "github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(folder string, files map[string][]byte, err error) {
	check(err)
	for name, data := range files {
		path := filepath.Join(folder, name)
		check(os.MkdirAll(filepath.Dir(path), 0o755))
		check(os.WriteFile(path, data, 0o644))
	}
}

// Each generator writes names of its own into the package that it is given.
func read(path string) *schema.Package {
	data, err := os.ReadFile(path)
	check(err)
	var spec schema.PackageSpec
	check(json.Unmarshal(data, &spec))
	pkg, err := schema.ImportSpec(spec, nil, schema.NewPluginLoader(nil), schema.ValidationOptions{})
	check(err)
	return pkg
}

func main() {
	path, folder := os.Args[1], os.Args[2]
	files, err := gogen.GeneratePackage("prism-iac", read(path), nil)
	write(filepath.Join(folder, "go"), files, err)
	files, err = nodegen.GeneratePackage("prism-iac", read(path), nil, nil, false, nil)
	write(filepath.Join(folder, "nodejs"), files, err)
	files, err = pygen.GeneratePackage("prism-iac", read(path), nil, nil)
	write(filepath.Join(folder, "python"), files, err)
}
