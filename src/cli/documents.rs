//! Reads the documents that a template names, from S3 or from this machine, and puts them where the template could hold them.

use std::path::Path;

use futures::future::join_all;
use serde_json::Value;

use crate::aws::objects::{self, ObjectLocation};
use crate::aws::{Connection, Context};
use crate::diagnostic::{Diagnostic, Source};
use crate::package::{CodePlaces, DOCUMENT, Document, DocumentPlace, documents};
use crate::template::DesiredGraph;
use crate::{template, text_file};

/// Gives every API of a graph its document.
///
/// # Errors
///
/// One finding for each document that cannot be read.
pub async fn bring(
    graph: &mut DesiredGraph,
    places: &CodePlaces,
    connection: &Connection,
    cx: &Context,
) -> Result<(), Vec<Diagnostic>> {
    let (found, mut findings) = documents(graph, places);
    let reads = found.iter().map(|document| async move {
        match &document.place {
            DocumentPlace::Local(path) => local(path),
            DocumentPlace::Object(object) => in_s3(connection, cx, object).await,
            DocumentPlace::Template(text) => Ok(Source::new(DOCUMENT, text.clone())),
            DocumentPlace::Unknown => Err(Diagnostic::error("where a document is must be known before the apply")
                .label("an attribute that only AWS knows")
                .help("write the names of the bucket and of the key, or take them from parameters")),
        }
    });
    let contents = join_all(reads).await;
    for (Document { logical_id, span, place: _ }, content) in found.into_iter().zip(contents) {
        match content.and_then(|source| data(&source)) {
            Ok(document) => {
                if let Some(resource) = graph.resources.get_mut(&logical_id) {
                    resource.set_property(DOCUMENT, document);
                }
            }
            Err(finding) => findings.push(finding.at(span)),
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// The document as data: API Gateway takes JSON and YAML, and its operations are compared as neither.
fn data(source: &Source) -> Result<Value, Diagnostic> {
    template::plain(source).and_then(|data| if data.is_object() { Ok(data) } else { Err(Vec::new()) }).map_err(
        |findings| {
            let why = findings.first().map(|finding| {
                let line = finding.span.map(|span| source.position(span.start).line);
                format!(": {}{}", finding.message, line.map(|line| format!(" (line {line})")).unwrap_or_default())
            });
            Diagnostic::error(format!("`{}` is no OpenAPI document{}", source.path.display(), why.unwrap_or_default()))
                .label("holds no OpenAPI document")
        },
    )
}

fn local(path: &Path) -> Result<Source, Diagnostic> {
    let read = text_file::read(path, objects::MOST_BYTES as u64).map_err(|error| {
        Diagnostic::error(format!("`{}` cannot be read: {error}", path.display())).label("holds no OpenAPI document")
    });
    read.map(|text| Source::new(path, text))
}

async fn in_s3(connection: &Connection, cx: &Context, object: &ObjectLocation) -> Result<Source, Diagnostic> {
    let content = objects::read(connection, cx, object).await.map_err(|error| {
        let finding = Diagnostic::error(error.to_string()).label("this object");
        match error.way_out() {
            Some(way_out) => finding.help(way_out),
            None => finding,
        }
    })?;
    let no_text = |_| Diagnostic::error(format!("`{object}` is no text in UTF-8")).label("holds no OpenAPI document");
    Ok(Source::new(object.to_string(), String::from_utf8(content).map_err(no_text)?))
}
