package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/strvals"
)

// Case is one chart and the flags it is rendered with.
type Case struct {
	ID          string            `json:"id"`
	Files       map[string]string `json:"files"`
	Values      []string          `json:"values"`
	Set         []string          `json:"set"`
	SetString   []string          `json:"setString"`
	Release     string            `json:"release"`
	Namespace   string            `json:"namespace"`
	KubeVersion string            `json:"kubeVersion"`
	APIVersions []string          `json:"apiVersions"`
	IsUpgrade   bool              `json:"isUpgrade"`
	IncludeCRDs bool              `json:"includeCrds"`
}

// Answer is what Helm makes of a case: what `helm template` prints, or why it fails.
type Answer struct {
	ID     string `json:"id"`
	Output string `json:"output"`
	Notes  string `json:"notes,omitempty"`
	Error  string `json:"error,omitempty"`
	// Panic is a fault of Helm's own: no answer worth comparing.
	Panic string `json:"panic,omitempty"`
	Hung  bool   `json:"hung,omitempty"`
}

// render takes the way of `helm template`: values, loading, dependencies, install without a cluster.
func render(c Case) (output, notes string, err error) {
	var kubeVersion *common.KubeVersion
	if c.KubeVersion != "" {
		if kubeVersion, err = common.ParseKubeVersion(c.KubeVersion); err != nil {
			return "", "", fmt.Errorf("invalid kube version '%s': %w", c.KubeVersion, err)
		}
	}
	values, err := mergeValues(c)
	if err != nil {
		return "", "", err
	}
	ch, err := load(c.Files)
	if err != nil {
		return "", "", err
	}
	if t := ch.Metadata.Type; t != "" && t != "application" {
		return "", "", fmt.Errorf("%s charts are not installable", t)
	}
	if required := ch.Metadata.Dependencies; len(required) > 0 {
		dependencies := make([]chart.Dependency, len(required))
		for i, d := range required {
			dependencies[i] = d
		}
		if err := action.CheckDependencies(ch, dependencies); err != nil {
			return "", "", fmt.Errorf("an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: %w", err)
		}
	}

	install := action.NewInstall(action.NewConfiguration())
	install.DryRunStrategy = action.DryRunClient
	install.Replace = true
	install.ReleaseName = c.Release
	install.Namespace = c.Namespace
	install.IncludeCRDs = c.IncludeCRDs
	install.IsUpgrade = c.IsUpgrade
	install.APIVersions = common.VersionSet(c.APIVersions)
	install.KubeVersion = kubeVersion
	released, err := install.Run(ch, values)
	if err != nil {
		return "", "", err
	}
	rel, ok := released.(*release.Release)
	if !ok {
		return "", "", fmt.Errorf("a release of type %T", released)
	}
	var text strings.Builder
	fmt.Fprintln(&text, strings.TrimSpace(rel.Manifest))
	for _, hook := range rel.Hooks {
		fmt.Fprintf(&text, "---\n# Source: %s\n%s\n", hook.Path, hook.Manifest)
	}
	return text.String(), rel.Info.Notes, nil
}

func mergeValues(c Case) (map[string]any, error) {
	base := map[string]any{}
	for i, text := range c.Values {
		current, err := loader.LoadValues(strings.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("failed to parse values[%d]: %w", i, err)
		}
		base = loader.MergeMaps(base, current)
	}
	for _, text := range c.Set {
		if err := strvals.ParseInto(text, base); err != nil {
			return nil, fmt.Errorf("failed parsing --set data: %w", err)
		}
	}
	for _, text := range c.SetString {
		if err := strvals.ParseIntoString(text, base); err != nil {
			return nil, fmt.Errorf("failed parsing --set-string data: %w", err)
		}
	}
	return base, nil
}

// load reads the chart from memory, in the order of a walk over a folder. Where dot files
// matter (.helmignore, and what Helm ignores by default), it reads it from a folder.
func load(files map[string]string) (*chartv2.Chart, error) {
	paths := make([]string, 0, len(files))
	dotted := false
	for path := range files {
		if !filepath.IsLocal(path) {
			return nil, fmt.Errorf("case: %q is no path inside a chart", path)
		}
		paths = append(paths, path)
		dotted = dotted || strings.HasPrefix(path, ".") || strings.Contains(path, "/.")
	}
	if dotted {
		return loadFromFolder(files)
	}
	slices.SortFunc(paths, func(a, b string) int {
		return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
	})
	buffered := make([]*archive.BufferedFile, 0, len(paths))
	for _, path := range paths {
		data := strings.TrimPrefix(files[path], "\ufeff")
		buffered = append(buffered, &archive.BufferedFile{Name: path, Data: []byte(data)})
	}
	return loader.LoadFiles(buffered)
}

func loadFromFolder(files map[string]string) (*chartv2.Chart, error) {
	dir, err := os.MkdirTemp("", "oracle-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return loader.LoadDir(dir)
}
