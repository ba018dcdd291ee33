//! In which form objects are answered: as they are, as a table, or their metadata only.

use jiff::Timestamp;
use pintle_model::{Object, Value};

use super::path::Target;
use super::table;
use crate::convert::to_served;
use crate::error::ApiError;

/// What the `Accept` header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The objects.
    Plain,
    /// `meta.k8s.io/v1` Table, what `kubectl get` prints.
    Table,
    /// `meta.k8s.io/v1` PartialObjectMetadata.
    Metadata,
}

impl Form {
    /// Picks the first form of an `Accept` header that can be served; an absent header means plain.
    pub fn negotiate(accept: Option<&str>) -> Result<Self, ApiError> {
        let Some(accept) = accept.filter(|a| !a.trim().is_empty()) else {
            return Ok(Self::Plain);
        };
        for item in accept.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            if !matches!(media, "application/json" | "application/*" | "*/*") {
                continue;
            }
            let (mut as_kind, mut version, mut group) = ("", "", "");
            for (key, value) in parts.filter_map(|p| p.split_once('=')) {
                match key {
                    "as" => as_kind = value,
                    "v" => version = value,
                    "g" => group = value,
                    _ => {}
                }
            }
            match (as_kind, group, version) {
                ("", _, _) => return Ok(Self::Plain),
                ("Table", "meta.k8s.io", "v1") => return Ok(Self::Table),
                ("PartialObjectMetadata" | "PartialObjectMetadataList", "meta.k8s.io", "v1") => {
                    return Ok(Self::Metadata);
                }
                _ => {}
            }
        }
        Err(ApiError::not_acceptable(
            "only the following media types are accepted: application/json",
        ))
    }
}

/// Everything needed to show stored objects to one client.
#[derive(Clone)]
pub struct Shape {
    /// The form.
    pub form: Form,
    /// `includeObject` of a table: `None`, `Metadata` or `Object`.
    pub include: Include,
    /// The resource and version asked for.
    pub target: Target,
}

/// What a table row carries of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Include {
    /// Nothing.
    None,
    /// PartialObjectMetadata.
    Metadata,
    /// All of it.
    Object,
}

impl Include {
    /// Reads the `includeObject` parameter.
    pub fn parse(text: &str) -> Self {
        match text {
            "None" => Self::None,
            "Object" => Self::Object,
            _ => Self::Metadata,
        }
    }
}

impl Shape {
    /// One stored object as this client sees it.
    pub fn one(&self, stored: Object, now: Timestamp) -> Value {
        match self.form {
            Form::Plain => self.served(stored).into_value(),
            Form::Metadata => partial(stored),
            Form::Table => {
                let revision = stored.resource_version().to_owned();
                self.table(vec![stored], revision, None, true, now)
            }
        }
    }

    /// One stored object of a watch; a table repeats its column definitions only in the `first` event.
    pub fn watched(&self, stored: Object, first: bool, now: Timestamp) -> Value {
        if self.form == Form::Table {
            let revision = stored.resource_version().to_owned();
            return self.table(vec![stored], revision, None, first, now);
        }
        self.one(stored, now)
    }

    /// A list of stored objects.
    pub fn list(
        &self,
        objects: Vec<Object>,
        revision: u64,
        page: Option<(String, Option<i64>)>,
        now: Timestamp,
    ) -> Value {
        let resource = &self.target.resource;
        let (kind, api_version, items) = match self.form {
            Form::Table => return self.table(objects, revision.to_string(), page, true, now),
            Form::Metadata => {
                let items = objects.into_iter().map(partial).collect();
                (
                    "PartialObjectMetadataList".to_owned(),
                    "meta.k8s.io/v1".to_owned(),
                    items,
                )
            }
            Form::Plain => {
                let strip = resource.custom.is_none();
                let item = |o: Object| {
                    let mut value = self.served(o).into_value();
                    // Typed lists of kube-apiserver leave out what every item has in common.
                    if strip && let Some(map) = value.as_map_mut() {
                        map.remove("apiVersion");
                        map.remove("kind");
                    }
                    value
                };
                (
                    resource.list_kind.to_string(),
                    self.api_version(),
                    objects.into_iter().map(item).collect::<Vec<_>>(),
                )
            }
        };
        let mut list = Value::map();
        list.set_at(&["apiVersion"], api_version.into());
        list.set_at(&["kind"], kind.into());
        list.set_at(&["metadata"], list_meta(revision.to_string(), page));
        list.set_at(&["items"], Value::list(items));
        list
    }

    /// The object of a bookmark event.
    pub fn bookmark(&self, revision: u64, initial_events_end: bool) -> Value {
        let mut value = Value::map();
        let (kind, api_version) = match self.form {
            Form::Table => ("Table".to_owned(), "meta.k8s.io/v1".to_owned()),
            Form::Metadata => ("PartialObjectMetadata".to_owned(), "meta.k8s.io/v1".to_owned()),
            Form::Plain => (self.target.resource.kind.to_string(), self.api_version()),
        };
        value.set_at(&["kind"], kind.into());
        value.set_at(&["apiVersion"], api_version.into());
        value.set_at(&["metadata", "resourceVersion"], revision.to_string().into());
        if self.form == Form::Table {
            value.set_at(&["columnDefinitions"], Value::Null);
            value.set_at(&["rows"], Value::list(Vec::new()));
        }
        if initial_events_end {
            value.set_at(&["metadata", "annotations", "k8s.io/initial-events-end"], "true".into());
        }
        value
    }

    /// A stored object in the version asked for.
    pub fn served(&self, stored: Object) -> Object {
        to_served(stored, &self.target.resource, &self.target.version)
    }

    fn api_version(&self) -> String {
        let group = &self.target.resource.gr.group;
        if group.is_empty() {
            self.target.version.to_string()
        } else {
            format!("{group}/{}", self.target.version)
        }
    }

    fn table(
        &self,
        objects: Vec<Object>,
        revision: String,
        page: Option<(String, Option<i64>)>,
        with_columns: bool,
        now: Timestamp,
    ) -> Value {
        let printer = table::printer(&self.target.resource, &self.target.version);
        let rows = objects.into_iter().map(|stored| {
            let served = self.served(stored.clone());
            let mut row = Value::map();
            row.set_at(&["cells"], Value::list(printer.cells(&served, now)));
            match self.include {
                Include::None => {}
                Include::Metadata => row.set_at(&["object"], partial(stored)),
                Include::Object => row.set_at(&["object"], served.into_value()),
            }
            row
        });
        let rows = Value::list(rows.collect());
        let mut table = Value::map();
        table.set_at(&["kind"], "Table".into());
        table.set_at(&["apiVersion"], "meta.k8s.io/v1".into());
        table.set_at(&["metadata"], list_meta(revision, page));
        table.set_at(
            &["columnDefinitions"],
            if with_columns {
                printer.definitions()
            } else {
                Value::Null
            },
        );
        table.set_at(&["rows"], rows);
        table
    }
}

fn list_meta(revision: String, page: Option<(String, Option<i64>)>) -> Value {
    let mut meta = Value::map();
    meta.set_at(&["resourceVersion"], revision.into());
    if let Some((token, remaining)) = page {
        meta.set_at(&["continue"], token.into());
        if let Some(remaining) = remaining {
            meta.set_at(&["remainingItemCount"], remaining.into());
        }
    }
    meta
}

fn partial(object: Object) -> Value {
    let mut value = Value::map();
    value.set_at(&["kind"], "PartialObjectMetadata".into());
    value.set_at(&["apiVersion"], "meta.k8s.io/v1".into());
    value.set_at(
        &["metadata"],
        object.value().get("metadata").cloned().unwrap_or_else(Value::map),
    );
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_can_be_served_wins() {
        let get = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(Form::negotiate(Some(get)), Ok(Form::Table));
        assert_eq!(
            Form::negotiate(Some("application/vnd.kubernetes.protobuf,application/json")),
            Ok(Form::Plain)
        );
        assert_eq!(
            Form::negotiate(Some("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")),
            Ok(Form::Metadata)
        );
        assert_eq!(Form::negotiate(None), Ok(Form::Plain));
        assert!(Form::negotiate(Some("application/vnd.kubernetes.protobuf")).is_err_and(|e| e.code == 406));
    }
}
