// kstatus evaluates objects with the kstatus libraries of several tools and the expressions of a Flux Kustomization, for tests.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	upstream "sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

const usage = `usage:
  kstatus status KUSTOMIZATION    a JSON list of objects on stdin: the status of each
  kstatus validate                manifests on stdin: decodes Flux's kinds strictly`

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
	switch {
	case len(args) == 2 && args[0] == "status":
		return statuses(ctx, args[1], os.Stdin)
	case len(args) == 1 && args[0] == "validate":
		return validate(os.Stdin)
	}
	return nil, fmt.Errorf("%s", usage)
}

// verdict is the status of one object in each library.
type verdict struct {
	// The library of SIG CLI.
	Upstream string `json:"upstream"`
	// Flux's fork of it, which Helm 4 also uses.
	Flux string `json:"flux"`
	// The Kustomization's healthCheckExprs for its kind, as Flux evaluates them.
	Expressions string `json:"expressions"`
	Message     string `json:"message"`
}

func statuses(ctx context.Context, kustomization string, input io.Reader) ([]verdict, error) {
	var raw []json.RawMessage
	if err := json.NewDecoder(input).Decode(&raw); err != nil {
		return nil, err
	}
	checks, err := healthChecks(kustomization)
	if err != nil {
		return nil, err
	}
	verdicts := make([]verdict, len(raw))
	for i := range raw {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(raw[i]); err != nil {
			return nil, err
		}
		if verdicts[i], err = judge(ctx, object, checks); err != nil {
			return nil, err
		}
	}
	return verdicts, nil
}

func judge(ctx context.Context, object *unstructured.Unstructured, checks map[string]*cel.StatusEvaluator) (verdict, error) {
	result, err := upstream.Compute(object)
	if err != nil {
		return verdict{}, err
	}
	fork, err := flux.Compute(object)
	if err != nil {
		return verdict{}, err
	}
	check := checks[object.GetAPIVersion()+"/"+object.GetKind()]
	if check == nil {
		return verdict{}, fmt.Errorf("no healthCheckExprs for %s %s", object.GetAPIVersion(), object.GetKind())
	}
	evaluated, err := check.Evaluate(ctx, object)
	if err != nil {
		return verdict{}, fmt.Errorf("%s: %w", object.GetName(), err)
	}
	return verdict{result.Status.String(), fork.Status.String(), evaluated.Status.String(), result.Message}, nil
}
