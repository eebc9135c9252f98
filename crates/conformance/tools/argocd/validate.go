package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// validate decodes each manifest into Argo CD's own type, rejects unknown fields, and returns "Kind/name" of each.
func validate(input io.Reader) ([]string, error) {
	var names []string
	documents := utilyaml.NewYAMLReader(bufio.NewReader(input))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, err
		}
		meta := metav1.PartialObjectMetadata{}
		if err := yaml.Unmarshal(document, &meta); err != nil {
			return nil, err
		}
		name := meta.Kind + "/" + meta.Name
		var object any
		switch meta.APIVersion + "/" + meta.Kind {
		case "argoproj.io/v1alpha1/Application":
			object = &v1alpha1.Application{}
		case "argoproj.io/v1alpha1/AppProject":
			object = &v1alpha1.AppProject{}
		case "v1/ConfigMap":
			object = &corev1.ConfigMap{}
		default:
			return nil, fmt.Errorf("%s is not a kind of Argo CD", name)
		}
		if err := strictly(document, object); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		names = append(names, name)
	}
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
