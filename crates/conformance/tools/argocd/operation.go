package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync/common"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/tracing"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/argo"
	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// request is one sync operation, or one comparison.
type request struct {
	// Its sync options, ignored differences and annotations apply; its source is not read.
	Application v1alpha1.Application         `json:"application"`
	Manifests   []*unstructured.Unstructured `json:"manifests"`
	Prune       bool                         `json:"prune"`
	Force       bool                         `json:"force"`
	// The time limit of an operation, in seconds.
	Seconds int `json:"seconds"`
}

type operation struct {
	request
	overrides map[string]v1alpha1.ResourceOverride
	config    *rest.Config
	kubectl   kube.Kubectl
	startedAt metav1.Time
}

type outcome struct {
	Phase     common.OperationPhase `json:"phase"`
	Message   string                `json:"message"`
	Resources []resourceOutcome     `json:"resources"`
}

type resourceOutcome struct {
	Name    string            `json:"name"`
	Status  common.ResultCode `json:"status"`
	Phase   string            `json:"phase"`
	Message string            `json:"message"`
}

// The application's instance label, which only the tracking method "label" uses.
const labelKey = "app.kubernetes.io/instance"

func withOperation[T any](ctx context.Context, configMap string, input io.Reader, work func(*operation, context.Context) (T, error)) (T, error) {
	var none T
	o := &operation{startedAt: metav1.Now()}
	var err error
	if o.overrides, err = overrides(ctx, configMap); err != nil {
		return none, err
	}
	if err := json.NewDecoder(input).Decode(&o.request); err != nil {
		return none, err
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	o.config, err = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return none, err
	}
	o.config.QPS = -1
	o.kubectl = &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}
	for _, manifest := range o.Manifests {
		// Argo CD's repository server does the same with every manifest that it renders.
		namespace := o.Application.Spec.Destination.Namespace
		manifest.SetNamespace(namespace)
		err := argo.NewResourceTracking().SetAppInstance(
			manifest, labelKey, o.Application.Name, namespace, v1alpha1.TrackingMethodAnnotation, "")
		if err != nil {
			return none, err
		}
	}
	return work(o, ctx)
}

// sync runs the operation as Argo CD's controller does: with a new context each time, from the live objects and the results so far.
func (o *operation) sync(ctx context.Context) (*outcome, error) {
	phase, message := common.OperationRunning, ""
	var results []common.ResourceSyncResult
	deadline := time.Now().Add(time.Duration(o.Seconds) * time.Second)
	for {
		reconciliation, err := o.reconciliation(ctx)
		if err != nil {
			return nil, err
		}
		options := append(o.options(), sync.WithInitialState(phase, message, results, o.startedAt))
		namespace := o.Application.Spec.Destination.Namespace
		syncContext, cleanup, err := sync.NewSyncContext("revision", reconciliation, o.config, o.config, o.kubectl, namespace, options...)
		if err != nil {
			return nil, err
		}
		syncContext.Sync()
		phase, message, results = syncContext.GetState()
		cleanup()
		if phase.Completed() || time.Now().After(deadline) {
			return newOutcome(phase, message, results), nil
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func newOutcome(phase common.OperationPhase, message string, results []common.ResourceSyncResult) *outcome {
	answer := &outcome{Phase: phase, Message: message}
	for _, result := range results {
		answer.Resources = append(answer.Resources, resourceOutcome{
			Name:    fmt.Sprintf("%s/%s", result.ResourceKey.Kind, result.ResourceKey.Name),
			Status:  result.Status,
			Phase:   string(result.HookPhase),
			Message: result.Message,
		})
	}
	return answer
}
