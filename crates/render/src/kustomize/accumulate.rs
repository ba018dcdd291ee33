//! One kustomization after another: resources and bases, generators, components, transformers, variables.

use super::config::Config;
use super::edit::Edits;
use super::error::{Failure, Reason, Result};
use super::fieldspec::{FieldSpec, merge_all};
use super::kustomization::Kustomization;
use super::loader::Loader;
use super::remote::is_http;
use super::resmap::{absorb, append_all};
use super::resource::{Resource, parse_resources};
use super::transform::{self, Side, Subjects};
use super::vars::Vars;
use super::{generator, patch, plugin, replacement};

/// What has been collected: objects, and the rules and variables that come with them.
#[derive(Default)]
pub(super) struct Accumulator {
    pub resources: Vec<Resource>,
    pub config: Config,
    pub vars: Vars,
}

impl Accumulator {
    fn merge(&mut self, other: Self) -> Result<()> {
        append_all(&mut self.resources, other.resources)?;
        self.config.merge(&other.config)?;
        self.vars.merge(other.vars)
    }
}

/// A kustomization in its directory.
pub(super) struct Target<'s, 'a, 't> {
    pub loader: Loader<'s, 'a, 't>,
    pub kustomization: Kustomization,
}

impl<'s, 'a, 't> Target<'s, 'a, 't> {
    /// Reads the kustomization of a directory.
    pub fn load(loader: Loader<'s, 'a, 't>) -> Result<Self> {
        Self::read(loader, None)
    }

    /// Reads the kustomization that is built, with the edits of the options.
    pub fn load_edited(loader: Loader<'s, 'a, 't>) -> Result<Self> {
        let edits = &loader.session.options.edits;
        Self::read(loader, Some(edits))
    }

    fn read(mut loader: Loader<'s, 'a, 't>, edits: Option<&Edits>) -> Result<Self> {
        let (name, text) = loader.kustomization()?;
        let place = loader.root.child(name);
        let mut kustomization = Kustomization::read(&text).map_err(|e| e.within(&place))?;
        if let Some(edits) = edits {
            super::edit::apply(&mut kustomization, edits, &loader).map_err(|e| e.within(&place))?;
        }
        kustomization.check().map_err(|e| e.within(&place))?;
        // Both would need what is not here; saying nothing would render something else than Kustomize.
        if !kustomization.openapi.is_empty() {
            return Err(unsupported(&loader, "openapi"));
        }
        if !kustomization.crds.is_empty() {
            return Err(unsupported(&loader, "crds"));
        }
        if kustomization.build_metadata.iter().any(|m| m != "managedByLabel") {
            return Err(unsupported(&loader, "buildMetadata other than managedByLabel"));
        }
        Ok(Self { loader, kustomization })
    }

    /// Collects what the kustomization gives; a component works on what its parent has.
    pub fn accumulate(&self, mut into: Accumulator) -> Result<Accumulator> {
        let k = &self.kustomization;
        self.resources(&mut into, &k.resources)
            .map_err(|e| e.within("accumulating resources"))?;
        into.config.merge(&Config::builtin())?;
        for path in &k.configurations {
            let more = Config::parse(&self.loader.load_text(path)?).map_err(|e| e.within(path))?;
            into.config.merge(&more).map_err(|e| e.within(path))?;
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
            // A validator is a transformer that changes nothing; no built-in one can fail an object that it leaves alone.
            let mut copy = into.resources.clone();
            plugin::transform(self, &mut copy, &validator)?;
            if copy.len() != into.resources.len() || copy.iter().zip(&into.resources).any(|(a, b)| a.node != b.node) {
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
        for path in paths {
            match self.file(path) {
                Ok(found) => append_all(&mut into.resources, found)
                    .map_err(|e| e.within(format_args!("merging resources from '{path}'")))?,
                Err(file_error) => self.base(into, path, file_error)?,
            }
        }
        Ok(())
    }

    fn file(&self, path: &str) -> Result<Vec<Resource>> {
        let place = format!("accumulating resources from '{path}'");
        let text = self.loader.load_text(path).map_err(|e| e.within(&place))?;
        parse_resources(&text).map_err(|e| e.within(path).within(&place))
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
            Err(e) => return Err(e.within(format_args!("accumulation err='{file_error}'"))),
        };
        let root = loader.root.clone();
        let target =
            Self::load(loader).map_err(|e| e.within(format_args!("couldn't make target for path '{root}'")))?;
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
        let target =
            Self::load(loader).map_err(|e| e.within(format_args!("couldn't make target for path '{root}'")))?;
        if !target.kustomization.is_component() {
            return Err(Failure::invalid(format!(
                "expected kind 'Component' for path '{root}' but got '{}'",
                target.kustomization.kind
            )));
        }
        target
            .accumulate(into)
            .map_err(|e| e.within(format_args!("recursed accumulation of path '{root}'")))
    }

    fn generate(&self, into: &mut Accumulator) -> Result<()> {
        let k = &self.kustomization;
        // Kustomize sets every generator up before it runs one.
        let mut made = Vec::new();
        for (kind, list) in [("ConfigMap", &k.config_map_generator), ("Secret", &k.secret_generator)] {
            for args in list {
                made.push(generator::generate(
                    &self.loader,
                    kind,
                    args,
                    k.generator_options.as_ref(),
                )?);
            }
        }
        if !k.helm_charts.is_empty() {
            let message = format!(
                "trouble configuring builtin HelmChartInflationGenerator in the kustomization of {}: must specify --enable-helm",
                self.loader.root
            );
            return Err(Failure::new(Reason::Helm, message));
        }
        for config in plugin::load(self, &k.generators).map_err(|e| e.within("loading generator plugins"))? {
            made.push(plugin::generate(self, &config)?);
        }
        for resource in made {
            absorb(&mut into.resources, resource).map_err(|e| e.within("merging from generator"))?;
        }
        Ok(())
    }

    fn transform(&self, into: &mut Accumulator) -> Result<()> {
        let k = &self.kustomization;
        let Accumulator { resources, config, .. } = into;
        if !k.patches_strategic_merge.is_empty() {
            patch::apply_legacy_merges(&self.loader, resources, &k.patches_strategic_merge)?;
        }
        for entry in &k.patches {
            patch::apply(&self.loader, resources, entry)?;
            resources.retain(|r| !r.node.is_nil_or_empty());
        }
        transform::namespace(resources, &k.namespace, &config.namespace, false, Subjects::Default)?;
        if !k.name_prefix.is_empty() {
            transform::names(resources, Side::Prefix, &k.name_prefix, &config.name_prefix)?;
        }
        if !k.name_suffix.is_empty() {
            transform::names(resources, Side::Suffix, &k.name_suffix, &config.name_suffix)?;
        }
        for label in &k.labels {
            let mut specs = label.field_specs.clone();
            merge_all(&mut specs, &config.labels)?;
            if label.include_selectors {
                merge_all(&mut specs, &config.common_labels)?;
            } else {
                if label.include_templates {
                    merge_all(&mut specs, &config.template_labels)?;
                }
                let own = FieldSpec {
                    path: "metadata/labels".into(),
                    create: true,
                    ..FieldSpec::default()
                };
                merge_all(&mut specs, &[own])?;
            }
            transform::pairs(resources, &label.pairs, &specs)?;
        }
        transform::pairs(resources, &k.common_labels, &config.common_labels)?;
        transform::pairs(resources, &k.common_annotations, &config.common_annotations)?;
        for entry in &k.patches_json6902 {
            patch::apply_legacy_json(&self.loader, resources, entry)?;
        }
        for replica in &k.replicas {
            transform::replicas(resources, replica, &config.replicas)?;
        }
        for image in &k.images {
            transform::images(resources, image, &config.images)?;
        }
        if !k.replacements.is_empty() {
            replacement::apply_all(&self.loader, resources, &k.replacements)?;
        }
        for config in plugin::load(self, &k.transformers)? {
            plugin::transform(self, resources, &config)?;
            resources.retain(|r| !r.node.is_nil_or_empty());
        }
        Ok(())
    }
}

fn unsupported(loader: &Loader<'_, '_, '_>, field: &str) -> Failure {
    Failure::new(
        Reason::Unsupported,
        format!(
            "{}: `{field}` cannot be rendered natively yet; remove it from the kustomization",
            loader.root
        ),
    )
}
