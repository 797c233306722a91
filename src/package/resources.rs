//! The functions and layers of a template: finds their code, packages it, and puts its digest where the template names it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::assembly::Packing;
use crate::aws::Packages;
use crate::diagnostic::{Diagnostic, Span};
use crate::identity::LogicalId;
use crate::package::{
    Architecture, Bytecode, CodePlaces, LayerTarget, Package, PackageError, PipCommand, layer, zip_compiled, zip_file,
    zip_inline, zip_path,
};
use crate::property_path::PathStep;
use crate::template::{DesiredGraph, DesiredResource, Part};
use crate::unknown;

/// What packaging needs to know of the machine.
pub struct Workshop<'a> {
    pub places: &'a CodePlaces,
    pub cache: &'a Path,
    pub pip: &'a PipCommand,
    pub bytecode: Bytecode,
}

/// Where a resource's code is.
enum Code {
    /// In the template.
    Inline(String),
    /// In a file or directory that the template names.
    Local(PathBuf),
    /// In what an app has staged for it, which is complete.
    Staged { path: PathBuf, packing: Packing },
}

/// Packages all local code of a graph. The zips are given back by their digests, which take the paths' places.
///
/// # Errors
///
/// One finding for each resource whose code cannot be packaged.
pub fn package(graph: &mut DesiredGraph, workshop: &Workshop<'_>) -> Result<Packages, Vec<Diagnostic>> {
    let mut packages = Packages::new();
    let mut findings = Vec::new();
    let mut digests: Vec<(LogicalId, &str, String)> = Vec::new();
    for resource in graph.resources.values() {
        let Some(property) = code_property(resource) else { continue };
        match made(graph, resource, property, workshop) {
            Ok(Some(package)) => {
                packages.insert(package.sha256_base64.clone(), package.content.clone());
                digests.push((resource.logical_id.clone(), property, package.sha256_base64));
            }
            Ok(None) => {}
            Err(finding) => findings.push(finding.at(place(resource, property))),
        }
    }
    for (logical_id, property, digest) in digests {
        if let Some(resource) = graph.resources.get_mut(&logical_id) {
            resource.set_property(property, json!({"Sha256": digest}));
        }
    }
    if findings.is_empty() { Ok(packages) } else { Err(findings) }
}

/// Puts nothing where local code is, for whoever asks only what running things are called.
pub fn leave_out(graph: &mut DesiredGraph) {
    for resource in graph.resources.values_mut() {
        if let Some(property) = code_property(resource) {
            resource.set_property(property, json!({"Sha256": ""}));
        }
    }
}

/// Where the local code of a graph is.
pub fn local_code(graph: &DesiredGraph, places: &CodePlaces) -> Vec<(LogicalId, PathBuf)> {
    let path = |resource: &DesiredResource| {
        let code = written(graph, resource, code_property(resource)?)?;
        match located(&code, places) {
            Ok(Some(Code::Local(path) | Code::Staged { path, .. })) => Some((resource.logical_id.clone(), path)),
            _ => None,
        }
    };
    graph.resources.values().filter_map(path).collect()
}

/// What of a graph's code is not on this machine, or where it may not come from, found without packaging anything.
pub fn missing_code(graph: &DesiredGraph, places: &CodePlaces) -> Vec<Diagnostic> {
    let missing = |resource: &DesiredResource| {
        let property = code_property(resource)?;
        let finding = located(&written(graph, resource, property)?, places).err()?;
        Some(finding.at(place(resource, property)))
    };
    graph.resources.values().filter_map(missing).collect()
}

/// Whether a resource's code is where only AWS can take it from.
pub fn is_elsewhere(graph: &DesiredGraph, resource: &DesiredResource, places: &CodePlaces) -> bool {
    let code = code_property(resource).and_then(|property| written(graph, resource, property));
    let key = code.as_ref().and_then(|code| code.get("S3Key"));
    key.is_some_and(|key| key.as_str().is_none_or(|key| !places.assets.contains_key(key)))
}

/// The property that holds a resource's code, if it has any.
fn code_property(resource: &DesiredResource) -> Option<&'static str> {
    match resource.resource_type.as_str() {
        "AWS::Lambda::Function" => Some("Code"),
        "AWS::Lambda::LayerVersion" => Some("Content"),
        _ => None,
    }
}

/// What the template says of a resource's code.
fn written(graph: &DesiredGraph, resource: &DesiredResource, property: &str) -> Option<Value> {
    graph.evaluate(resource.properties.at(&[PathStep::from(property)])?, &|_, _| None).ok()
}

/// Where the code is that a template names; `None` where it is not known yet, or has been packaged.
fn located(code: &Value, places: &CodePlaces) -> Result<Option<Code>, Diagnostic> {
    let find = |path: &str| places.find(path).map_err(|error| said(&error));
    let text = |name: &str| code.get(name).and_then(Value::as_str);
    match code {
        Value::String(path) if unknown::is_in(path) => Ok(None),
        Value::String(path) => find(path).map(|path| Some(Code::Local(path))),
        Value::Object(fields) if fields.contains_key("Sha256") => Ok(None),
        Value::Object(_) => match (text("ZipFile"), text("S3Key").and_then(|key| places.assets.get(key))) {
            (Some(source), _) => Ok(Some(Code::Inline(source.to_owned()))),
            (None, Some(asset)) => {
                let path = find(&asset.path.to_string_lossy())?;
                Ok(Some(Code::Staged { path, packing: asset.packing }))
            }
            (None, None) => Err(not_local(places)),
        },
        _ => Err(not_local(places)),
    }
}

fn made(
    graph: &DesiredGraph,
    resource: &DesiredResource,
    property: &str,
    workshop: &Workshop<'_>,
) -> Result<Option<Package>, Diagnostic> {
    let properties = graph.evaluate(&resource.properties, &|_, _| None)?;
    let Some(written) = properties.get(property) else { return Ok(None) };
    let Some(code) = located(written, workshop.places)? else { return Ok(None) };
    let package = match code {
        Code::Inline(source) => return inline(&properties, &source).map(Some),
        Code::Staged { path, packing: Packing::Zipped } => zip_path(&path),
        Code::Staged { path, packing: Packing::AsItIs } => zip_file(&path),
        Code::Local(path) if property == "Content" => {
            layer(&path, &layer_target(&properties, workshop.bytecode), workshop.cache, workshop.pip)
        }
        Code::Local(path) => match workshop.bytecode {
            Bytecode::LeftOut => zip_path(&path),
            Bytecode::Compiled => zip_compiled(&path, runtime(&properties), workshop.pip),
        },
    };
    package.map(Some).map_err(|error| said(&error))
}

fn inline(properties: &Value, source: &str) -> Result<Package, Diagnostic> {
    if unknown::is_in(source) {
        return Err(Diagnostic::error("inline code must not refer to what only AWS knows")
            .label("an attribute that is known after apply only")
            .help("pass the value in an environment variable"));
    }
    zip_inline(runtime(properties), source).map_err(|error| said(&error))
}

fn runtime(properties: &Value) -> &str {
    properties.get("Runtime").and_then(Value::as_str).unwrap_or_default()
}

fn layer_target(properties: &Value, bytecode: Bytecode) -> LayerTarget {
    let first = |name: &str| properties.get(name).and_then(|list| list.get(0)).and_then(Value::as_str);
    let architecture = match first("CompatibleArchitectures") {
        Some("arm64") => Architecture::Arm64,
        _ => Architecture::X86_64,
    };
    LayerTarget { runtime: first("CompatibleRuntimes").unwrap_or_default().to_owned(), architecture, bytecode }
}

fn not_local(places: &CodePlaces) -> Diagnostic {
    let finding = Diagnostic::error("paystack uploads code from local paths only").label("not a local path");
    if places.assets.is_empty() {
        finding.help(
            "write the path of the code's directory, as for `aws cloudformation package`, or inline code in `ZipFile`; \
             `--skip-unsupported` plans the rest",
        )
    } else {
        finding.help("the asset manifests of this cloud assembly have no file for it: write it anew with `cdk synth`")
    }
}

fn said(error: &PackageError) -> Diagnostic {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message.push_str(&format!(": {error}"));
        cause = error.source();
    }
    Diagnostic::error(message).label("cannot be packaged")
}

fn place(resource: &DesiredResource, property: &str) -> Span {
    resource.properties.span_at(&[PathStep::from(property)], Part::Value)
}
