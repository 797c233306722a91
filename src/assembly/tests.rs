use super::*;

/// A directory with these files.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file is in a directory")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
    directory
}

const SHOP: &str = r#"{"version": "55.0.0", "artifacts": {
    "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
    "Web": {
        "type": "aws:cloudformation:stack", "environment": "aws://unknown-account/eu-west-1",
        "properties": {"templateFile": "Web.template.json", "stackName": "shop-web", "tags": {"Team": "web"}},
        "dependencies": ["Data", "Web.assets"]
    },
    "Data": {
        "type": "aws:cloudformation:stack", "environment": "aws://123456789012/unknown-region",
        "properties": {"templateFile": "Data.template.json", "terminationProtection": true, "parameters": {"Days": "3"}},
        "metadata": {"/Data/Table": [{"type": "aws:cdk:warning", "data": "it is small"}, {"type": "aws:cdk:path", "data": 1}]},
        "additionalMetadataFile": "Data.metadata.json"
    },
    "Web.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Web.assets.json"}},
    "Prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}, "dependencies": ["Web"]}
}}"#;

const STAGE: &str = r#"{"artifacts": {"ProdWeb1F": {
    "type": "aws:cloudformation:stack", "displayName": "Prod/Web", "properties": {"templateFile": "Web.template.json"}
}}}"#;

const ASSETS: &str = r#"{"files": {
    "aa": {"source": {"path": "asset.aa", "packaging": "zip"}, "destinations": {"here": {"bucketName": "b", "objectKey": "aa.zip"}}},
    "bb": {"source": {"path": "asset.bb.jar", "packaging": "file"}, "destinations": {"here": {"objectKey": "bb.jar"}}},
    "cc": {"source": {"executable": ["make"]}, "destinations": {"here": {"objectKey": "cc.zip"}}}
}, "dockerImages": {}}"#;

fn shop() -> tempfile::TempDir {
    let metadata = r#"{"/Data": [{"type": "aws:cdk:error", "data": "it is broken"}]}"#;
    directory(&[
        ("manifest.json", SHOP),
        ("Data.metadata.json", metadata),
        ("Web.assets.json", ASSETS),
        ("assembly-Prod/manifest.json", STAGE),
    ])
}

#[test]
fn stacks_come_after_those_that_they_depend_on() {
    let shop = shop();
    let assembly = Assembly::load(shop.path()).expect("an assembly");
    let ids: Vec<_> = assembly.stacks.iter().map(|stack| stack.id.as_str()).collect();
    assert_eq!(ids, ["Data", "Web", "Prod/Web"]);
    let before = |id| assembly.before(assembly.stack(Some(id)).expect("a stack")).len();
    assert_eq!((before("Data"), before("shop-web"), before("Prod/Web")), (0, 1, 2));
}

#[test]
fn a_stack_is_what_its_manifest_says() {
    let shop = shop();
    let assembly = Assembly::load(shop.path()).expect("an assembly");
    let [data, web, _] = assembly.stacks.as_slice() else { panic!("three stacks") };
    assert_eq!(
        (data.name.as_str(), data.account.as_deref(), data.region.as_deref()),
        ("Data", Some("123456789012"), None)
    );
    assert_eq!(
        (web.name.as_str(), web.account.as_deref(), web.region.as_deref()),
        ("shop-web", None, Some("eu-west-1"))
    );
    assert_eq!((data.parameters["Days"].as_str(), web.tags["Team"].as_str()), ("3", "web"));
    assert_eq!((data.is_protected, web.is_protected), (true, false));
    assert_eq!(
        (&data.warnings[..], &data.errors[..]),
        (&["[/Data/Table] it is small".to_owned()][..], &["[/Data] it is broken".to_owned()][..],)
    );
    let error = assembly.stack(Some("Wep")).expect_err("there is none");
    assert_eq!(error.way_out().as_deref(), Some("did you mean `Web`?"));
    assert!(matches!(assembly.stack(None), Err(AssemblyError::WhichStack { .. })));
}

#[test]
fn assets_are_known_by_the_keys_that_templates_name() {
    let shop = shop();
    let assets = assets_beside(&shop.path().join("Web.template.json")).expect("assets");
    let asset = |path: &str, packing| Asset { path: path.into(), packing };
    let expected = [("aa.zip", asset("asset.aa", Packing::Zipped)), ("bb.jar", asset("asset.bb.jar", Packing::AsItIs))];
    assert_eq!(assets, expected.map(|(key, asset)| (key.to_owned(), asset)).into());
    assert_eq!(assets_beside(&shop.path().join("other.yaml")).expect("none"), Assets::new());
    assert_eq!(assets_beside(Path::new("no/template.yaml")).expect("none"), Assets::new());
}

#[test]
fn what_is_no_whole_assembly_is_refused() {
    let refused = |files: &[(&str, &str)]| {
        let directory = directory(files);
        Assembly::load(directory.path()).expect_err("refused")
    };
    assert!(matches!(refused(&[]), AssemblyError::Read { .. }));
    assert!(matches!(refused(&[("manifest.json", "[")]), AssemblyError::NoManifest { .. }));
    assert!(matches!(refused(&[("manifest.json", "{}")]), AssemblyError::NoStack { .. }));
    let missing = r#"{"missing": [{"key": "vpc:id", "provider": "vpc-provider", "props": {}}]}"#;
    assert!(refused(&[("manifest.json", missing)]).to_string().ends_with("looked up: `vpc:id`"));
    for outside in ["../a.json", "/a.json"] {
        let stack = format!(r#"{{"type": "aws:cloudformation:stack", "properties": {{"templateFile": "{outside}"}}}}"#);
        let manifest = format!(r#"{{"artifacts": {{"A": {stack}}}}}"#);
        assert!(matches!(refused(&[("manifest.json", &manifest)]), AssemblyError::Outside { .. }), "{outside}");
    }
    let itself = r#"{"artifacts": {"A": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}}}"#;
    assert!(matches!(refused(&[("manifest.json", itself)]), AssemblyError::TooDeep { .. }));
}

#[test]
fn stacks_that_depend_on_each_other_are_read_once() {
    let stack = |other: &str| {
        format!(
            r#"{{"type": "aws:cloudformation:stack", "properties": {{"templateFile": "t"}}, "dependencies": ["{other}"]}}"#
        )
    };
    let manifest = format!(r#"{{"artifacts": {{"A": {}, "B": {}}}}}"#, stack("B"), stack("A"));
    let directory = directory(&[("manifest.json", &manifest)]);
    let assembly = Assembly::load(directory.path()).expect("an assembly");
    assert_eq!(assembly.stacks.len(), 2);
}

#[cfg(unix)]
mod apps {
    use super::*;
    use crate::children::Children;

    /// Runs an app that is a shell script, and gives what it wrote.
    fn run(
        files: &[(&str, &str)],
        command: Option<&str>,
        context: &[(String, String)],
    ) -> Result<(String, String), String> {
        let directory = directory(files);
        let app = App {
            directory: directory.path(),
            command,
            context,
            region: Some("eu-west-1"),
            home: None,
            children: &Children::default(),
        };
        let made = synthesise(&app).map_err(|error| error.to_string())?;
        let name = made.assembly.file_name().expect("a name").to_string_lossy().into_owned();
        Ok((name, std::fs::read_to_string(made.assembly.join("seen")).expect("a file")))
    }

    const APP: &str = r#"mkdir -p "$CDK_OUTDIR" && echo "$CDK_DEFAULT_REGION $CDK_CONTEXT_JSON" > "$CDK_OUTDIR/seen""#;

    #[test]
    fn an_app_is_told_its_context_and_where_to_write() {
        let cdk = r#"{"app": "sh app.sh", "output": "out", "context": {"suffix": "dev", "kept": true}}"#;
        let looked_up = r#"{"kept": false, "zones": ["a"]}"#;
        let files = [("cdk.json", cdk), ("cdk.context.json", looked_up), ("app.sh", APP)];
        let (name, seen) = run(&files, None, &[("suffix".to_owned(), "pr-7".to_owned())]).expect("it runs");
        assert_eq!(name, "out");
        let (region, context) = seen.split_once(' ').expect("two words");
        let context: serde_json::Value = serde_json::from_str(context).expect("JSON");
        assert_eq!(region, "eu-west-1");
        assert_eq!((&context["suffix"], &context["kept"]), (&"pr-7".into(), &true.into()));
        assert_eq!(context["zones"], serde_json::json!(["a"]));
        assert_eq!(context["aws:cdk:enable-path-metadata"], true);
    }

    #[test]
    fn context_that_is_too_long_for_a_variable_is_in_a_file() {
        let long = [("text".to_owned(), "x".repeat(200_000))];
        let app = r#"mkdir -p "$CDK_OUTDIR" && wc -c < "$CONTEXT_OVERFLOW_LOCATION" > "$CDK_OUTDIR/seen""#;
        let (name, seen) = run(&[], Some(app), &long).expect("it runs");
        assert_eq!(name, "cdk.out");
        assert!(seen.trim().parse::<usize>().expect("a number") > 200_000);
    }

    #[test]
    fn an_app_that_fails_says_why() {
        let error = run(&[("cdk.json", r#"{"app": "echo no region >&2; exit 3"}"#)], None, &[]).expect_err("it fails");
        assert!(error.contains("exit status: 3") && error.ends_with("\nno region"), "{error}");
        let error = run(&[], None, &[]).expect_err("there is none");
        assert!(error.starts_with("there is no `app` to run in"), "{error}");
    }
}
