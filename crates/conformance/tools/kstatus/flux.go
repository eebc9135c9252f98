package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/runtime/cel"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// validate decodes each manifest into Flux's own type, rejects unknown fields, and returns "Kind/name" of each.
func validate(input io.Reader) ([]string, error) {
	objects, err := decode(input)
	var names []string
	for _, object := range objects {
		kind := object.GetObjectKind().GroupVersionKind().Kind
		names = append(names, kind+"/"+object.GetName())
	}
	return names, err
}

// healthChecks returns the evaluators of the Kustomizations in a file, by apiVersion and kind.
func healthChecks(path string) (map[string]*cel.StatusEvaluator, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	objects, err := decode(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	checks := map[string]*cel.StatusEvaluator{}
	for _, object := range objects {
		kustomization, ok := object.(*kustomizev1.Kustomization)
		if !ok {
			continue
		}
		for _, check := range kustomization.Spec.HealthCheckExprs {
			evaluator, err := cel.NewStatusEvaluator(&check.HealthCheckExpressions)
			if err != nil {
				return nil, err
			}
			checks[check.APIVersion+"/"+check.Kind] = evaluator
		}
	}
	return checks, nil
}

func decode(input io.Reader) ([]client.Object, error) {
	var objects []client.Object
	documents := utilyaml.NewYAMLReader(bufio.NewReader(input))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		meta := metav1.PartialObjectMetadata{}
		if err := yaml.Unmarshal(document, &meta); err != nil {
			return nil, err
		}
		object := empty(meta.APIVersion + "/" + meta.Kind)
		if object == nil {
			return nil, fmt.Errorf("%s %s is not a kind of Flux", meta.APIVersion, meta.Kind)
		}
		if err := strictly(document, object); err != nil {
			return nil, fmt.Errorf("%s/%s: %w", meta.Kind, meta.Name, err)
		}
		objects = append(objects, object)
	}
}

func empty(kind string) client.Object {
	switch kind {
	case "kustomize.toolkit.fluxcd.io/v1/Kustomization":
		return &kustomizev1.Kustomization{}
	case "source.toolkit.fluxcd.io/v1/GitRepository":
		return &sourcev1.GitRepository{}
	case "source.toolkit.fluxcd.io/v1/OCIRepository":
		return &sourcev1.OCIRepository{}
	case "helm.toolkit.fluxcd.io/v2/HelmRelease":
		return &helmv2.HelmRelease{}
	}
	return nil
}

// strictly also rejects fields in another letter case, as the API server does.
func strictly(document []byte, object any) error {
	text, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	unknown, err := json.UnmarshalStrict(text, object)
	return errors.Join(append(unknown, err)...)
}
