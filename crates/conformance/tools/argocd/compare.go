package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	argodiff "github.com/argoproj/argo-cd/v3/util/argo/diff"
	"github.com/argoproj/argo-cd/v3/util/argo/normalizers"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// difference is what Argo CD would show for one resource with one comparison.
type difference struct {
	Name     string          `json:"name"`
	Way      string          `json:"way"`
	Modified bool            `json:"modified"`
	Live     json.RawMessage `json:"live"`
	Wanted   json.RawMessage `json:"wanted"`
}

// compare finds the differences with each comparison that an Application can select.
func (o *operation) compare(ctx context.Context) ([]difference, error) {
	found := []difference{}
	for _, way := range []string{"three-way", "structured-merge", "server-side"} {
		differences, err := o.compareBy(ctx, way)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", way, err)
		}
		found = append(found, differences...)
	}
	return found, nil
}

func (o *operation) compareBy(ctx context.Context, way string) ([]difference, error) {
	reconciliation, err := o.reconciliation(ctx)
	if err != nil {
		return nil, err
	}
	_, parser, err := o.kubectl.LoadOpenAPISchema(o.config)
	if err != nil {
		return nil, err
	}
	builder := argodiff.NewDiffConfigBuilder().
		WithDiffSettings(o.Application.Spec.IgnoreDifferences, o.overrides, false, normalizers.IgnoreNormalizerOpts{}).
		WithTracking(labelKey, string(v1alpha1.TrackingMethodAnnotation)).
		WithNoCache().
		WithGVKParser(parser).
		WithManager(common.ArgoCDSSAManager).
		WithStructuredMergeDiff(way == "structured-merge").
		WithServerSideDiff(way == "server-side")
	if way == "server-side" {
		applier, cleanup, err := o.kubectl.ManageServerSideDiffDryRuns(o.config)
		if err != nil {
			return nil, err
		}
		defer cleanup()
		builder.WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(applier))
	}
	config, err := builder.Build()
	if err != nil {
		return nil, err
	}
	results, err := argodiff.StateDiffs(reconciliation.Live, reconciliation.Target, config)
	if err != nil {
		return nil, err
	}
	answers := make([]difference, len(results.Diffs))
	for i, result := range results.Diffs {
		answers[i] = difference{
			Name:     name(reconciliation.Live[i], reconciliation.Target[i]),
			Way:      way,
			Modified: result.Modified,
			Live:     result.NormalizedLive,
			Wanted:   result.PredictedLive,
		}
	}
	return answers, nil
}

func name(live, target *unstructured.Unstructured) string {
	object := target
	if object == nil {
		object = live
	}
	return object.GetKind() + "/" + object.GetName()
}
