package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kustomize/v5/commands/edit"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/yaml"
)

// Case is a folder of files, what is built of it, and how.
type Case struct {
	ID    string            `json:"id"`
	Files map[string]string `json:"files"`
	// Path is the directory that is built.
	Path string `json:"path"`
	// LoadAnywhere is `--load-restrictor LoadRestrictionsNone`.
	LoadAnywhere bool `json:"loadAnywhere"`
	// KeepOrder is `--reorder none`.
	KeepOrder bool `json:"keepOrder"`
	// Edits are the arguments of `kustomize edit`, run in Path one after another before the build.
	Edits [][]string `json:"edits"`
	// Patches are appended to the field of that name, behind the edits.
	Patches []map[string]any `json:"patches"`
	// Show asks for the kustomization file after the edits instead of a build.
	Show bool `json:"show"`
}

// Answer is what Kustomize makes of a case: what `kustomize build` prints, or why it fails.
type Answer struct {
	ID     string `json:"id"`
	Output string `json:"output"`
	Error  string `json:"error,omitempty"`
	// Panic is a fault of Kustomize's own: no answer worth comparing.
	Panic string `json:"panic,omitempty"`
	Hung  bool   `json:"hung,omitempty"`
}

func answerTo(c Case) (string, error) {
	// A schema of a kustomization stays with the process, and a process of Kustomize builds once.
	for _, text := range c.Files {
		if strings.Contains(text, "openapi") {
			openapi.ResetOpenAPI()
			defer openapi.ResetOpenAPI()
			break
		}
	}
	root, err := os.MkdirTemp("", "oracle-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(root)
	for path, text := range c.Files {
		if !filepath.IsLocal(path) {
			return "", fmt.Errorf("case: %q is no path inside it", path)
		}
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	dir := filepath.Join(root, c.Path)
	if len(c.Edits)+len(c.Patches) > 0 || c.Show {
		if err := editIn(dir, c); err != nil {
			return "", err
		}
	}
	if c.Show {
		path, err := kustomizationIn(dir)
		if err != nil {
			return "", err
		}
		text, err := os.ReadFile(path)
		return string(text), err
	}
	return build(dir, c)
}

// build takes the way of `kustomize build`.
func build(dir string, c Case) (string, error) {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified
	if c.KeepOrder {
		options.Reorder = krusty.ReorderOptionNone
	}
	if c.LoadAnywhere {
		options.LoadRestrictions = types.LoadRestrictionsNone
	}
	resources, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return "", err
	}
	text, err := resources.AsYaml()
	return string(text), err
}

// editIn runs `kustomize edit` as in a shell that stands in dir.
func editIn(dir string, c Case) error {
	before, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := os.Chdir(dir); err != nil {
		return err
	}
	defer os.Chdir(before)
	for _, arguments := range c.Edits {
		depends := provider.NewDefaultDepProvider()
		command := edit.NewCmdEdit(filesys.MakeFsOnDisk(), depends.GetFieldValidator(), depends.GetResourceFactory(), io.Discard)
		command.SilenceErrors, command.SilenceUsage = true, true
		command.SetOut(io.Discard)
		command.SetErr(io.Discard)
		command.SetArgs(arguments)
		if err := command.Execute(); err != nil {
			return fmt.Errorf("edit %s: %w", strings.Join(arguments, " "), err)
		}
	}
	if len(c.Patches) == 0 {
		return nil
	}
	path, err := kustomizationIn(".")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var kustomization map[string]any
	if err := yaml.Unmarshal(text, &kustomization); err != nil {
		return err
	}
	if kustomization == nil {
		kustomization = map[string]any{}
	}
	list, _ := kustomization["patches"].([]any)
	for _, patch := range c.Patches {
		list = append(list, patch)
	}
	kustomization["patches"] = list
	if text, err = yaml.Marshal(kustomization); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

func kustomizationIn(dir string) (string, error) {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no kustomization file in %s", dir)
}
