package main

import (
	"context"
	"strings"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync/common"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	argocommon "github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/argo"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// options returns those that Argo CD's controller derives from the Application and the operation.
func (o *operation) options() []sync.SyncOpt {
	var wanted v1alpha1.SyncOptions
	if policy := o.Application.Spec.SyncPolicy; policy != nil {
		wanted = policy.SyncOptions
	}
	propagation := metav1.DeletePropagationForeground
	if wanted.HasOption("PrunePropagationPolicy=background") {
		propagation = metav1.DeletePropagationBackground
	}
	return []sync.SyncOpt{
		sync.WithLogr(logr.Discard()),
		sync.WithHealthOverride(lua.ResourceHealthOverrides(o.overrides)),
		sync.WithOperationSettings(false, o.Prune, o.Force, false),
		sync.WithManifestValidation(!wanted.HasOption(common.SyncOptionsDisableValidation)),
		sync.WithPruneLast(wanted.HasOption(common.SyncOptionPruneLast)),
		sync.WithPrunePropagationPolicy(&propagation),
		sync.WithReplace(wanted.HasOption(common.SyncOptionReplace)),
		sync.WithServerSideApply(wanted.HasOption(common.SyncOptionServerSideApply)),
		sync.WithServerSideApplyManager(argocommon.ArgoCDSSAManager),
		sync.WithPruneConfirmed(o.Application.IsDeletionConfirmed(o.startedAt.Time)),
		sync.WithDefaultPruneOption(wanted.GetOptionValue(common.SyncOptionPrune)),
		sync.WithSkipDryRunOnMissingResource(wanted.HasOption(common.SyncOptionSkipDryRunOnMissingResource)),
	}
}

// reconciliation pairs the manifests with the live objects, and adds live objects that the application tracks without a manifest.
func (o *operation) reconciliation(ctx context.Context) (sync.ReconciliationResult, error) {
	namespace := o.Application.Spec.Destination.Namespace
	live := map[kube.ResourceKey]*unstructured.Unstructured{}
	wanted := map[kube.ResourceKey]bool{}
	targets := make([]*unstructured.Unstructured, len(o.Manifests))
	for i, manifest := range o.Manifests {
		targets[i] = manifest.DeepCopy()
		wanted[kube.GetResourceKey(manifest)] = true
	}
	resources, err := o.kubectl.GetAPIResources(o.config, true, everything{})
	if err != nil {
		return sync.ReconciliationResult{}, err
	}
	client, err := dynamic.NewForConfig(o.config)
	if err != nil {
		return sync.ReconciliationResult{}, err
	}
	for _, resource := range resources {
		if !resource.Meta.Namespaced {
			continue
		}
		list, err := client.Resource(resource.GroupVersionResource).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return sync.ReconciliationResult{}, err
		}
		for i := range list.Items {
			object := &list.Items[i]
			key := kube.GetResourceKey(object)
			if wanted[key] || o.tracks(object) {
				live[key] = object
			}
		}
	}
	return sync.Reconcile(targets, live, namespace, namespaced{}), nil
}

func (o *operation) tracks(object *unstructured.Unstructured) bool {
	name := argo.NewResourceTracking().GetAppName(object, labelKey, v1alpha1.TrackingMethodAnnotation, "")
	return strings.EqualFold(name, o.Application.Name)
}

type everything struct{}

func (everything) IsExcludedResource(_, _, _ string) bool { return false }

// The tests use namespaced objects only.
type namespaced struct{}

func (namespaced) IsNamespaced(schema.GroupKind) (bool, error) { return true, nil }
