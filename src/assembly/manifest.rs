//! What paystack reads of an assembly's JSON files, in CDK's names ("cloud-assembly-schema" of the CDK's API reference). What is
//! not named here is ignored, whichever version of CDK wrote it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    #[serde(default)]
    pub artifacts: IndexMap<String, Artifact>,
    /// What the app wants to know and did not get.
    #[serde(default)]
    pub missing: Vec<MissingContext>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MissingContext {
    pub key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Artifact {
    #[serde(rename = "type")]
    pub kind: String,
    /// `aws://account/region`.
    pub environment: Option<String>,
    #[serde(default)]
    pub properties: Properties,
    /// The ids of artifacts of the same manifest.
    #[serde(default)]
    pub dependencies: Vec<String>,
    pub display_name: Option<String>,
    #[serde(default)]
    pub metadata: Messages,
    pub additional_metadata_file: Option<String>,
}

/// What the app says of its constructs, by their paths.
pub(super) type Messages = BTreeMap<String, Vec<Message>>;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Message {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub data: Value,
}

/// Of all kinds of artifacts.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Properties {
    pub template_file: Option<String>,
    pub stack_name: Option<String>,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub termination_protection: bool,
    /// Of an asset manifest.
    pub file: Option<String>,
    /// Of an assembly within this one.
    pub directory_name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct AssetManifest {
    #[serde(default)]
    pub files: BTreeMap<String, FileAsset>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FileAsset {
    pub source: FileSource,
    #[serde(default)]
    pub destinations: BTreeMap<String, Destination>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FileSource {
    /// `None` where a program of the app's writes the file when it is asked to.
    pub path: Option<PathBuf>,
    #[serde(default)]
    pub packaging: Packaging,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Packaging {
    #[default]
    File,
    Zip,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Destination {
    pub object_key: String,
}
