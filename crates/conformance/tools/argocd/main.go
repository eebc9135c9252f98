// argocd evaluates and syncs objects with Argo CD's own packages, for tests. It reads JSON or YAML from standard input and
// writes JSON to standard output.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
)

const usage = `usage:
  argocd health ARGOCD_CM      objects on stdin: the health of each, by the checks in that ConfigMap
  argocd health-test FOLDER    runs health.lua of that folder on its health_test.yaml, as Argo CD's own tests do
  argocd validate              manifests on stdin: decodes Applications, AppProjects and ConfigMaps strictly
  argocd sync ARGOCD_CM        one operation on stdin, run against $KUBECONFIG until it ends
  argocd compare ARGOCD_CM     the same operation, only compared`

func main() {
	answer, err := run(context.Background(), os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (any, error) {
	command, path := "", ""
	if len(args) > 0 {
		command = args[0]
	}
	if len(args) > 1 {
		path = args[1]
	}
	switch command {
	case "health":
		return healths(ctx, path, os.Stdin)
	case "health-test":
		return healthTest(path)
	case "validate":
		return validate(os.Stdin)
	case "sync":
		return withOperation(ctx, path, os.Stdin, (*operation).sync)
	case "compare":
		return withOperation(ctx, path, os.Stdin, (*operation).compare)
	}
	return nil, fmt.Errorf("%s", usage)
}
