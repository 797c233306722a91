//! The functions and layers of a template: finds their local code, packages it, and puts its digest where the path was.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::aws::Packages;
use crate::diagnostic::Diagnostic;
use crate::identity::LogicalId;
use crate::package::{
    Architecture, Bytecode, CodePlaces, LayerTarget, Package, PackageError, PipCommand, layer, zip_compiled,
    zip_inline, zip_path,
};
use crate::property_path::PathStep;
use crate::template::{DesiredGraph, DesiredResource};
use crate::unknown;

/// What packaging needs to know of the machine.
pub struct Workshop<'a> {
    pub places: &'a CodePlaces,
    pub cache: &'a Path,
    pub pip: &'a PipCommand,
    pub bytecode: Bytecode,
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
        let (property, made) = match resource.resource_type.as_str() {
            "AWS::Lambda::Function" => ("Code", function(graph, resource, workshop)),
            "AWS::Lambda::LayerVersion" => ("Content", content(graph, resource, workshop)),
            _ => continue,
        };
        match made {
            Ok(Some(package)) => {
                packages.insert(package.sha256_base64.clone(), Arc::clone(&package.bytes));
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
        match resource.resource_type.as_str() {
            "AWS::Lambda::Function" => resource.set_property("Code", json!({"Sha256": ""})),
            "AWS::Lambda::LayerVersion" => resource.set_property("Content", json!({"Sha256": ""})),
            _ => {}
        }
    }
}

/// Where the local code of a graph is.
pub fn local_code(graph: &DesiredGraph, places: &CodePlaces) -> Vec<(LogicalId, PathBuf)> {
    let path = |resource: &DesiredResource| {
        let property = match resource.resource_type.as_str() {
            "AWS::Lambda::Function" => "Code",
            "AWS::Lambda::LayerVersion" => "Content",
            _ => return None,
        };
        let code = graph.evaluate(resource.properties.at(&[PathStep::from(property)])?, &|_, _| None).ok()?;
        let path = code.as_str().filter(|path| !unknown::is_in(path)).and_then(|path| places.find(path).ok())?;
        Some((resource.logical_id.clone(), path))
    };
    graph.resources.values().filter_map(path).collect()
}

/// What of a graph's code is not on this machine, or where it may not come from, found without packaging anything.
pub fn missing_code(graph: &DesiredGraph, places: &CodePlaces) -> Vec<Diagnostic> {
    let missing = |resource: &DesiredResource| {
        let property = match resource.resource_type.as_str() {
            "AWS::Lambda::Function" => "Code",
            "AWS::Lambda::LayerVersion" => "Content",
            _ => return None,
        };
        let code = graph.evaluate(resource.properties.at(&[PathStep::from(property)])?, &|_, _| None).ok()?;
        let finding = match code {
            Value::String(path) if unknown::is_in(&path) => return None,
            Value::String(path) => match places.find(&path) {
                Err(
                    error @ (PackageError::Missing { .. }
                    | PackageError::OutsideOfProject { .. }
                    | PackageError::OutsideOfDirectory { .. }),
                ) => Some(said(&error)),
                _ => None,
            },
            Value::Object(code) => (!code.contains_key("ZipFile")).then(not_local),
            _ => None,
        };
        Some(finding?.at(place(resource, property)))
    };
    graph.resources.values().filter_map(missing).collect()
}

fn function(
    graph: &DesiredGraph,
    resource: &DesiredResource,
    workshop: &Workshop<'_>,
) -> Result<Option<Package>, Diagnostic> {
    let properties = graph.evaluate(&resource.properties, &|_, _| None)?;
    match properties.get("Code") {
        None => Ok(None),
        Some(Value::String(path)) => {
            let runtime = properties.get("Runtime").and_then(Value::as_str).unwrap_or_default();
            let made = workshop.places.find(path).and_then(|path| match workshop.bytecode {
                Bytecode::LeftOut => zip_path(&path),
                Bytecode::Compiled => zip_compiled(&path, runtime, workshop.pip),
            });
            made.map(Some).map_err(|error| said(&error))
        }
        Some(Value::Object(code)) if code.contains_key("Sha256") => Ok(None),
        Some(Value::Object(code)) => {
            let source = code.get("ZipFile").and_then(Value::as_str).ok_or_else(not_local)?;
            let runtime = properties.get("Runtime").and_then(Value::as_str).unwrap_or_default();
            if unknown::is_in(source) {
                return Err(Diagnostic::error("inline code must not refer to what only AWS knows")
                    .label("an attribute that is known after apply only")
                    .help("pass the value in an environment variable"));
            }
            zip_inline(runtime, source).map(Some).map_err(|error| said(&error))
        }
        Some(_) => Err(not_local()),
    }
}

fn content(
    graph: &DesiredGraph,
    resource: &DesiredResource,
    workshop: &Workshop<'_>,
) -> Result<Option<Package>, Diagnostic> {
    let properties = graph.evaluate(&resource.properties, &|_, _| None)?;
    let first = |name: &str| properties.get(name).and_then(|list| list.get(0)).and_then(Value::as_str);
    match properties.get("Content") {
        None => Ok(None),
        Some(Value::String(path)) => {
            let architecture = match first("CompatibleArchitectures") {
                Some("arm64") => Architecture::Arm64,
                _ => Architecture::X86_64,
            };
            let runtime = first("CompatibleRuntimes").unwrap_or_default().to_owned();
            let target = LayerTarget { runtime, architecture, bytecode: workshop.bytecode };
            let made = workshop.places.find(path).and_then(|path| layer(&path, &target, workshop.cache, workshop.pip));
            made.map(Some).map_err(|error| said(&error))
        }
        Some(Value::Object(content)) if content.contains_key("Sha256") => Ok(None),
        Some(_) => Err(not_local()),
    }
}

fn not_local() -> Diagnostic {
    Diagnostic::error("paystack uploads code from local paths only").label("not a local path").help(
        "write the path of the code's directory, as for `aws cloudformation package`, or inline code in `ZipFile`",
    )
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

fn place(resource: &DesiredResource, property: &str) -> crate::diagnostic::Span {
    resource.properties.span_at(&[PathStep::from(property)], crate::template::Part::Value)
}
