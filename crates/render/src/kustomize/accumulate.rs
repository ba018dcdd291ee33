//! One kustomization after another: resources and bases, generators, components, transformers, variables.

use super::chart::Inflation;
use super::config::{Config, Rules};
use super::edit::Edits;
use super::error::{Failure, Reason, Result};
use super::fieldspec::{FieldSpec, merge_all};
use super::kustomization::{Kustomization, Label};
use super::loader::Loader;
use super::origin::{By, Origin};
use super::remote::is_http;
use super::resmap::{absorb, ensure_unique, repeated};
use super::resource::Resource;
use super::transform::{self, Side, Subjects};
use super::vars::Vars;
use super::{generator, patch, plugin, replacement};

/// What has been collected: objects, and the rules and variables that come with them.
#[derive(Default)]
pub(super) struct Accumulator {
    pub resources: Vec<Resource>,
    pub config: Rules,
    pub vars: Vars,
}

impl Accumulator {
    /// Adds what another one has. Whether an object is there twice is for the caller to find out.
    fn merge(&mut self, other: Self) -> Result<()> {
        self.resources.extend(other.resources);
        self.config.merge(&other.config)?;
        self.vars.merge(other.vars)
    }
}

/// A kustomization in its directory.
pub(super) struct Target<'s, 'a, 't> {
    pub loader: Loader<'s, 'a, 't>,
    pub kustomization: Kustomization,
    /// The name of the kustomization file.
    pub file_name: &'static str,
    /// Where this is, seen from where the build started; `None` where nobody asks for it.
    pub origin: Option<Origin>,
}

impl<'s, 'a, 't> Target<'s, 'a, 't> {
    /// Reads the kustomization of a directory.
    pub fn load(loader: Loader<'s, 'a, 't>, origin: Option<Origin>) -> Result<Self> {
        let mut target = Self::read(loader, None)?;
        target.origin = origin;
        Ok(target)
    }

    /// Reads the kustomization that is built, with the edits of the options.
    pub fn load_edited(loader: Loader<'s, 'a, 't>) -> Result<Self> {
        let edits = &loader.session.options.edits;
        let mut target = Self::read(loader, Some(edits))?;
        // What the root asks for is done for everything, and what bases ask for is not.
        target.origin = (!target.kustomization.build_metadata.is_empty()).then(Origin::default);
        Ok(target)
    }

    fn read(mut loader: Loader<'s, 'a, 't>, edits: Option<&Edits>) -> Result<Self> {
        let (name, text) = loader.kustomization()?;
        let place = loader.root.child(name);
        let mut kustomization = Kustomization::read(&text).map_err(|e| e.within(&place))?;
        if let Some(edits) = edits {
            super::edit::apply(&mut kustomization, edits, &loader).map_err(|e| e.within(&place))?;
            // The file is written anew then, without what is empty.
            kustomization.says_something &= *edits == Edits::default();
        }
        kustomization.check().map_err(|e| e.within(&place))?;
        loader.set_schema(&kustomization.openapi)?;
        if !kustomization.namespace.is_empty() {
            loader.helm_namespace.clone_from(&kustomization.namespace);
        }
        Ok(Self {
            loader,
            kustomization,
            file_name: name,
            origin: None,
        })
    }

    /// Collects what the kustomization gives; a component works on what its parent has.
    pub fn accumulate(&self, mut into: Accumulator) -> Result<Accumulator> {
        let k = &self.kustomization;
        self.resources(&mut into, &k.resources)
            .map_err(|e| e.within("accumulating resources"))?;
        self.loader.mark(&mut into.resources);
        let mut own = Rules::default();
        for path in &k.configurations {
            let more = Config::parse(&self.loader.load_text(path)?).map_err(|e| e.within(path))?;
            own.merge(&more.into()).map_err(|e| e.within(path))?;
        }
        // One after another, as in Kustomize: which of two rules is met first decides whether they conflict.
        let mut config = Rules::builtin();
        config.merge(&own).map_err(|e| e.within("configurations"))?;
        into.config.merge(&config).map_err(|e| e.within("merging config"))?;
        for path in &k.crds {
            let rules = super::crd::rules(&self.loader.load_text(path)?).map_err(|e| e.within(path))?;
            into.config
                .merge(&rules.into())
                .map_err(|e| e.within(format_args!("merging CRDs of {path}")))?;
        }
        self.generate(&mut into)?;
        for path in &k.components {
            into = self
                .component(into, path)
                .map_err(|e| e.within("accumulating components"))?;
        }
        self.transform(&mut into)?;
        let validators = plugin::load(self, &k.validators)?;
        for validator in validators {
            let before = into.resources.clone();
            plugin::transform(self, &mut into.resources, &validator)?;
            if !is_same(&before, &into.resources) {
                return Err(Failure::invalid(format!(
                    "validator shouldn't modify the resource map: {}",
                    validator.id()
                )));
            }
        }
        into.vars.bind(&mut into.resources, &k.vars)?;
        Ok(into)
    }

    /// Adds files and bases.
    pub fn resources(&self, into: &mut Accumulator, paths: &[String]) -> Result<()> {
        let mut ends = Vec::with_capacity(paths.len());
        for path in paths {
            match self.file(path) {
                Ok(found) => into.resources.extend(found),
                Err(file_error) => self.base(into, path, file_error)?,
            }
            ends.push((into.resources.len(), path));
        }
        // Once for all: looking after each file would take as many looks as there are files.
        let Some((at, failure)) = repeated(&into.resources) else {
            return Ok(());
        };
        let path = ends
            .iter()
            .find(|(end, _)| at < *end)
            .map_or("", |(_, path)| path.as_str());
        Err(failure.within(format_args!("merging resources from '{path}'")))
    }

    fn file(&self, path: &str) -> Result<Vec<Resource>> {
        let place = format!("accumulating resources from '{path}'");
        let text = self.loader.load_text(path).map_err(|e| e.within(&place))?;
        let mut found = self.loader.parse(&text).map_err(|e| e.within(path).within(&place))?;
        if let Some(origin) = &self.origin {
            let origin = origin.append(path);
            found.iter_mut().try_for_each(|resource| origin.mark(resource))?;
        }
        Ok(found)
    }

    /// Adds a base, after reading it as a file failed.
    fn base(&self, into: &mut Accumulator, path: &str, file_error: Failure) -> Result<()> {
        let loader = match self.loader.base(path) {
            Ok(loader) => loader,
            // Other bases may need fetching too: one round asks for all.
            Err(e) if e.reason == Reason::Remote && !self.loader.session.needs.borrow().is_empty() => return Ok(()),
            // What is there and cannot be read as a file is told about as a file.
            Err(e) if file_error.reason != Reason::Missing && !is_http(path) && e.reason == Reason::Missing => {
                return Err(file_error);
            }
            // Nothing to read as a file was there: that it is no file is not what is wrong.
            Err(e) if matches!(file_error.reason, Reason::Missing | Reason::Remote) => return Err(e),
            Err(e) => return Err(e.within(format_args!("accumulation err='{file_error}'"))),
        };
        let root = loader.root.clone();
        let target = Self::load(loader, self.origin.as_ref().map(|o| o.append(path)))
            .map_err(|e| e.within(format_args!("couldn't make target for path '{root}'")))?;
        if target.kustomization.is_component() {
            return Err(Failure::invalid(format!(
                "expected kind != 'Component' for path '{root}': list it under `components`"
            )));
        }
        let more = target
            .accumulate(Accumulator::default())
            .map_err(|e| e.within(format_args!("recursed accumulation of path '{root}'")))?;
        into.merge(more)
            .map_err(|e| e.within(format_args!("recursed merging from path '{root}'")))
    }

    fn component(&self, into: Accumulator, path: &str) -> Result<Accumulator> {
        let loader = match self.loader.base(path) {
            Ok(loader) => loader,
            Err(e) if e.reason == Reason::Remote && !self.loader.session.needs.borrow().is_empty() => return Ok(into),
            Err(e) => return Err(e),
        };
        let root = loader.root.clone();
        let target = Self::load(loader, self.origin.as_ref().map(|o| o.append(path)))
            .map_err(|e| e.within(format_args!("couldn't make target for path '{root}'")))?;
        if !target.kustomization.is_component() {
            return Err(Failure::invalid(format!(
                "expected kind 'Component' for path '{root}' but got '{}'",
                target.kustomization.kind
            )));
        }
        let done = target
            .accumulate(into)
            .map_err(|e| e.within(format_args!("recursed accumulation of path '{root}'")))?;
        // Kustomize puts everything into a new, empty accumulator here: what became two objects with one id is found out.
        let mut fresh = Accumulator::default();
        fresh
            .merge(done)
            .and_then(|()| ensure_unique(&fresh.resources))
            .map_err(|e| e.within(format_args!("recursed merging from path '{root}'")))?;
        Ok(fresh)
    }

    fn generate(&self, into: &mut Accumulator) -> Result<()> {
        let k = &self.kustomization;
        // Kustomize sets every generator up before it runs one.
        let mut made = Vec::new();
        for (kind, list, plugin) in [
            ("ConfigMap", &k.config_map_generator, "ConfigMapGenerator"),
            ("Secret", &k.secret_generator, "SecretGenerator"),
        ] {
            for args in list {
                let mut resource = generator::generate(&self.loader, kind, args, k.generator_options.as_ref())?;
                if let Some(origin) = &self.origin {
                    By::field(origin, self.file_name, plugin).mark_made(&mut resource)?;
                }
                made.push(resource);
            }
        }
        // Its own, or that of a kustomization above.
        let namespace = &self.loader.helm_namespace;
        let mut inflations = Vec::new();
        for chart in &k.helm_charts {
            inflations.push(Inflation::of_field(
                &self.loader,
                k.helm_globals.as_ref(),
                chart,
                namespace,
            )?);
        }
        for inflation in inflations {
            for mut resource in inflation.render(&self.loader)? {
                if let Some(origin) = &self.origin {
                    By::field(origin, self.file_name, "HelmChartInflationGenerator").mark_made(&mut resource)?;
                }
                made.push(resource);
            }
        }
        for config in plugin::load(self, &k.generators).map_err(|e| e.within("loading generator plugins"))? {
            for mut resource in plugin::generate(self, &config)? {
                if let Some(origin) = Origin::of(&config) {
                    By::plugin(&origin, &config).mark_made(&mut resource)?;
                }
                made.push(resource);
            }
        }
        self.loader.mark(&mut made);
        for resource in made {
            absorb(&mut into.resources, resource).map_err(|e| e.within("merging from generator"))?;
        }
        Ok(())
    }

    /// What follows every transformer: it is noted, and what it emptied goes.
    fn seen(&self, resources: &mut Vec<Resource>, kind: &str) -> Result<()> {
        if let Some(origin) = &self.origin {
            By::field(origin, self.file_name, kind).mark_seen(resources)?;
        }
        resources.retain(|r| !r.node.is_nil_or_empty());
        Ok(())
    }

    fn transform(&self, into: &mut Accumulator) -> Result<()> {
        let k = &self.kustomization;
        let Accumulator { resources, config, .. } = into;
        if !k.patches_strategic_merge.is_empty() {
            patch::apply_legacy_merges(&self.loader, resources, &k.patches_strategic_merge, "")?;
            self.seen(resources, "PatchStrategicMergeTransformer")?;
        }
        for entry in &k.patches {
            patch::apply(&self.loader, resources, entry)?;
            self.seen(resources, "PatchTransformer")?;
        }
        if !k.namespace.is_empty() {
            transform::namespace(resources, &k.namespace, &config.namespace, false, Subjects::Default)?;
            self.seen(resources, "NamespaceTransformer")?;
        }
        if !k.name_prefix.is_empty() {
            transform::names(resources, Side::Prefix, &k.name_prefix, &config.name_prefix)?;
            self.seen(resources, "PrefixTransformer")?;
        }
        if !k.name_suffix.is_empty() {
            transform::names(resources, Side::Suffix, &k.name_suffix, &config.name_suffix)?;
            self.seen(resources, "SuffixTransformer")?;
        }
        for label in &k.labels {
            transform::pairs(resources, &label.pairs, &label_specs(label, config)?)?;
            self.seen(resources, "LabelTransformer")?;
        }
        if !k.labels.is_empty() || !k.common_labels.is_empty() {
            transform::pairs(resources, &k.common_labels, &config.common_labels)?;
            self.seen(resources, "LabelTransformer")?;
        }
        if !k.common_annotations.is_empty() {
            transform::pairs(resources, &k.common_annotations, &config.common_annotations)?;
            self.seen(resources, "AnnotationsTransformer")?;
        }
        for entry in &k.patches_json6902 {
            patch::apply_legacy_json(&self.loader, resources, entry)?;
            self.seen(resources, "PatchJson6902Transformer")?;
        }
        for replica in &k.replicas {
            transform::replicas(resources, replica, &config.replicas)?;
            self.seen(resources, "ReplicaCountTransformer")?;
        }
        for image in &k.images {
            transform::images(resources, image, &config.images)?;
            self.seen(resources, "ImageTagTransformer")?;
        }
        if !k.replacements.is_empty() {
            replacement::apply_all(&self.loader, resources, &k.replacements)?;
            self.seen(resources, "ReplacementTransformer")?;
        }
        for config in plugin::load(self, &k.transformers)? {
            plugin::transform(self, resources, &config)?;
            if let Some(origin) = Origin::of(&config) {
                By::plugin(&origin, &config).mark_seen(resources)?;
            }
            resources.retain(|r| !r.node.is_nil_or_empty());
        }
        Ok(())
    }
}

/// Whether two lists have the same objects with the same notes, written alike, in any order. A validator may leave a mark.
fn is_same(before: &[Resource], after: &[Resource]) -> bool {
    let mut met = std::collections::HashSet::new();
    let unmarked = |resource: &Resource| {
        let mut copy = resource.clone();
        let mut labels = copy.metadata_map("labels");
        if labels.remove("validated-by").is_some() {
            copy.set_metadata_map("labels", &labels);
        }
        copy.node
    };
    before.len() == after.len()
        && before.iter().all(|old| {
            let id = old.id();
            let mut found = after.iter().enumerate().filter(|(_, new)| new.id().same(&id));
            let (Some((at, new)), None) = (found.next(), found.next()) else {
                return false;
            };
            met.insert(at);
            old.node == unmarked(new)
                && old.previous == new.previous
                && old.prefixes == new.prefixes
                && old.suffixes == new.suffixes
                && old.allow_name_change == new.allow_name_change
                && old.allow_kind_change == new.allow_kind_change
        })
        && met.len() == after.len()
}

/// The fields that an entry of `labels` goes to.
fn label_specs(label: &Label, config: &Config) -> Result<Vec<FieldSpec>> {
    let mut specs = label.field_specs.clone();
    merge_all(&mut specs, &config.labels)?;
    if label.include_selectors {
        merge_all(&mut specs, &config.common_labels)?;
        return Ok(specs);
    }
    if label.include_templates {
        merge_all(&mut specs, &config.template_labels)?;
    }
    let own = FieldSpec {
        path: "metadata/labels".into(),
        create: true,
        ..FieldSpec::default()
    };
    merge_all(&mut specs, &[own])?;
    Ok(specs)
}
