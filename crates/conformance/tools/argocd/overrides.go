package main

import (
	"context"
	"fmt"
	"os"

	"github.com/argoproj/argo-cd/v3/common"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/settings"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"
)

const argoNamespace = "argocd"

// overrides reads the ConfigMap as Argo CD's controller does, including the defaults, which ignore /status everywhere.
func overrides(ctx context.Context, path string) (map[string]v1alpha1.ResourceOverride, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	configMap := &corev1.ConfigMap{}
	if err := yaml.UnmarshalStrict(text, configMap); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if configMap.Name != common.ArgoCDConfigMapName {
		return nil, fmt.Errorf("%s is not the ConfigMap %s", path, common.ArgoCDConfigMapName)
	}
	labels := map[string]string{"app.kubernetes.io/part-of": "argocd"}
	configMap.Namespace, configMap.Labels = argoNamespace, labels
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: common.ArgoCDSecretName, Namespace: argoNamespace, Labels: labels},
		Data:       map[string][]byte{"admin.password": []byte("test"), "server.secretkey": []byte("test")},
	}
	manager := settings.NewSettingsManager(ctx, fake.NewClientset(secret, configMap), argoNamespace)
	if err := manager.ResyncInformers(); err != nil {
		return nil, err
	}
	return manager.GetResourceOverrides()
}
