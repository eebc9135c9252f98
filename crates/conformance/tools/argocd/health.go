package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// healths returns what Argo CD shows for each object; nil if it has no check for the kind.
func healths(ctx context.Context, configMap string, input io.Reader) ([]*health.HealthStatus, error) {
	known, err := overrides(ctx, configMap)
	if err != nil {
		return nil, err
	}
	var raw []json.RawMessage
	if err := json.NewDecoder(input).Decode(&raw); err != nil {
		return nil, err
	}
	answers := make([]*health.HealthStatus, len(raw))
	for i := range raw {
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(raw[i]); err != nil {
			return nil, err
		}
		answers[i], err = health.GetResourceHealth(object, lua.ResourceHealthOverrides(known))
		if err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// Argo CD's format of health_test.yaml, which Argo CD declares in a test file.
type healthTests struct {
	Tests []struct {
		InputPath    string              `json:"inputPath"`
		HealthStatus health.HealthStatus `json:"healthStatus"`
	} `json:"tests"`
}

// healthTest does what TestLuaHealthScript in Argo CD's package lua does with each folder of resource_customizations, and
// returns the inputs that passed.
func healthTest(folder string) ([]string, error) {
	script, err := os.ReadFile(filepath.Join(folder, "health.lua"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(folder, "health_test.yaml"))
	if err != nil {
		return nil, err
	}
	tests := healthTests{}
	if err := yaml.UnmarshalStrict(text, &tests); err != nil {
		return nil, err
	}
	var passed []string
	for _, test := range tests.Tests {
		input, err := os.ReadFile(filepath.Join(folder, test.InputPath))
		if err != nil {
			return nil, err
		}
		object := map[string]any{}
		if err := yaml.Unmarshal(input, &object); err != nil {
			return nil, fmt.Errorf("%s: %w", test.InputPath, err)
		}
		vm := lua.VM{UseOpenLibs: true}
		found, err := vm.ExecuteHealthLua(&unstructured.Unstructured{Object: object}, string(script))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", test.InputPath, err)
		}
		if !reflect.DeepEqual(found, &test.HealthStatus) {
			return nil, fmt.Errorf("%s: expected %+v, found %+v", test.InputPath, test.HealthStatus, *found)
		}
		passed = append(passed, test.InputPath)
	}
	return passed, nil
}
