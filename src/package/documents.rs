//! The documents that a template names and does not hold: where the OpenAPI document of an API is.
//!
//! CloudFormation takes one from S3; `aws cloudformation package` and CDK upload it from this machine, where it is read.

use std::path::PathBuf;

use serde_json::Value;

use crate::aws::objects::ObjectLocation;
use crate::desired::of_type;
use crate::diagnostic::{Diagnostic, Span};
use crate::identity::LogicalId;
use crate::package::CodePlaces;
use crate::policy::methods::REST_API;
use crate::property_path::PathStep;
use crate::template::{DesiredGraph, DesiredResource, Part};
use crate::unknown;

/// A document of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub logical_id: LogicalId,
    pub place: DocumentPlace,
    /// Where the template says so.
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentPlace {
    Local(PathBuf),
    Object(ObjectLocation),
    /// The template holds it, as a text.
    Template(String),
    /// What the template says of it is not known.
    Unknown,
}

/// The property that says where a document is.
pub const LOCATION: &str = "BodyS3Location";
/// The property that takes it.
pub const DOCUMENT: &str = "Body";

/// The documents of a graph, in order of logical id, and what is wrong with where others are said to be.
pub fn documents(graph: &DesiredGraph, places: &CodePlaces) -> (Vec<Document>, Vec<Diagnostic>) {
    let mut found = (Vec::new(), Vec::new());
    for resource in of_type(graph, REST_API) {
        let property = |name: &str| graph.evaluate(resource.properties.at(&[PathStep::from(name)])?, &|_, _| None).ok();
        if let Some(Value::String(text)) = property(DOCUMENT).filter(|text| !unknown::is_within(text)) {
            let span = resource.properties.span_at(&[PathStep::from(DOCUMENT)], Part::Value);
            let place = DocumentPlace::Template(text);
            found.0.push(Document { logical_id: resource.logical_id.clone(), place, span });
        }
        let Some(location) = property(LOCATION) else { continue };
        let span = resource.properties.span_at(&[PathStep::from(LOCATION)], Part::Value);
        match place(resource, &location, places) {
            Ok(place) => found.0.push(Document { logical_id: resource.logical_id.clone(), place, span }),
            Err(finding) => found.1.push(finding.at(span)),
        }
    }
    found
}

fn place(resource: &DesiredResource, location: &Value, places: &CodePlaces) -> Result<DocumentPlace, Diagnostic> {
    let local = |path: &str| {
        let found = places.find(path).map_err(|error| Diagnostic::error(error.to_string()).label("cannot be read"))?;
        Ok(DocumentPlace::Local(found))
    };
    let text = |name: &str| location.get(name).and_then(Value::as_str).map(str::to_owned);
    if resource.properties.at(&[PathStep::from(DOCUMENT)]).is_some() {
        return Err(Diagnostic::error(format!("an API has a `{DOCUMENT}` or a `{LOCATION}`, and this one has both"))
            .label("the second place of one document")
            .help("leave one of them out"));
    }
    if unknown::is_within(location) {
        return Ok(DocumentPlace::Unknown);
    }
    match (location, text("Bucket"), text("Key")) {
        (Value::String(path), ..) => local(path),
        (_, Some(bucket), Some(key)) => match places.assets.get(&key) {
            Some(asset) => local(&asset.path.to_string_lossy()),
            None => {
                Ok(DocumentPlace::Object(ObjectLocation { bucket, key, version: text("Version"), etag: text("ETag") }))
            }
        },
        _ => Err(Diagnostic::error(format!("`{LOCATION}` needs a `Bucket` and a `Key`"))
            .label("names no object")
            .help("or write the path of a file on this machine, as for `aws cloudformation package`")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::assembly::{Asset, Packing};
    use crate::fake::line::desired;

    fn told(location: &str) -> String {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("openapi.yaml"), "{}").expect("a file");
        let asset = Asset { path: directory.path().join("openapi.yaml"), packing: Packing::AsItIs };
        let places = CodePlaces {
            template: directory.path().to_owned(),
            project: directory.path().to_owned(),
            besides: None,
            assets: BTreeMap::from([("0123.yaml".to_owned(), asset)]),
        };
        let template =
            format!("Resources: {{Api: {{Type: AWS::ApiGateway::RestApi, Properties: {{Name: orders, {location}}}}}}}");
        let (documents, findings) = documents(&desired(&template).graph, &places);
        let place = |it: Document| match it.place {
            DocumentPlace::Local(path) => path.file_name().expect("a name").to_string_lossy().into_owned(),
            DocumentPlace::Object(object) => object.to_string(),
            DocumentPlace::Template(text) => text,
            DocumentPlace::Unknown => "unknown".to_owned(),
        };
        let told = documents.into_iter().map(place).chain(findings.into_iter().map(|it| it.message));
        told.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_document_is_in_s3_or_where_the_template_or_the_app_says() {
        assert_eq!(told("BodyS3Location: {Bucket: apis, Key: a.yaml}"), "s3://apis/a.yaml");
        assert_eq!(told("BodyS3Location: openapi.yaml"), "openapi.yaml");
        assert_eq!(told("BodyS3Location: {Bucket: !Sub 'cdk-${AWS::Region}', Key: 0123.yaml}"), "openapi.yaml");
        assert_eq!(told("Body: 'openapi: 3.0.1'"), "openapi: 3.0.1");
        assert_eq!(told("Description: none"), "");
    }

    #[test]
    fn what_names_no_document_is_told() {
        assert!(told("BodyS3Location: absent.yaml").contains("there is no file"));
        assert!(told("BodyS3Location: {Bucket: apis}").contains("needs a `Bucket` and a `Key`"));
        assert!(told("BodyS3Location: openapi.yaml, Body: {}").contains("has both"));
    }
}
