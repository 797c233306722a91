use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::children::Children;

/// A directory with these files, written in this order.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, content) in files {
        write(root.path(), name, content);
    }
    root
}

fn write(root: &Path, name: &str, content: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn names(package: &Package) -> Vec<&str> {
    package.files.iter().map(|file| file.name.as_str()).collect()
}

/// An error's text, without the directory that no two runs share.
fn refusal<T: fmt::Debug>(root: &Path, result: Result<T, PackageError>) -> String {
    result.unwrap_err().to_string().replace(&root.display().to_string(), "ROOT")
}

#[cfg(unix)]
fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

#[cfg(unix)]
fn link(target: impl AsRef<Path>, link: &Path) {
    std::os::unix::fs::symlink(target, link).unwrap();
}

#[test]
fn the_digest_of_a_package_never_changes() {
    // If it does, every function that is deployed shows as changed after an upgrade of paystack.
    let root = directory(&[("index.py", "def handler(event, context):\n    return event\n"), ("rules/vat.json", "{}")]);
    expect!["CbbCPEpaXQFTZ3WqVinykWQCxKARO/PUR1vjay9Jng8="].assert_eq(&zip_path(root.path()).unwrap().sha256_base64);
}

#[test]
fn two_checkouts_of_one_source_make_the_same_bytes() {
    let here = directory(&[("index.py", "1"), ("a/b.py", "2"), ("a.py", "3")]);
    let there = directory(&[("a.py", "3"), ("a/b.py", "2"), ("index.py", "1")]);
    let file = fs::File::open(there.path().join("index.py")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    let package = zip_path(here.path()).unwrap();
    assert_eq!(package, zip_path(there.path()).unwrap());
    assert_eq!(names(&package), ["a.py", "a/b.py", "index.py"]);
}

proptest! {
    #[test]
    fn the_order_of_creation_does_not_change_a_package(
        files in prop::collection::btree_map("[a-d]{1,3}(/[x-z]{1,2}\\.py){1}", ".{0,40}", 1..8),
        order in any::<prop::sample::Index>(),
    ) {
        let sorted: Vec<(&str, &str)> = files.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect();
        let mut turned = sorted.clone();
        turned.rotate_left(order.index(sorted.len()));
        let package = zip_path(directory(&sorted).path()).unwrap();
        prop_assert_eq!(&package, &zip_path(directory(&turned).path()).unwrap());

        let mut zip = zip::ZipArchive::new(package.content.open()).unwrap();
        for (name, content) in sorted {
            let mut unzipped = String::new();
            zip.by_name(name).unwrap().read_to_string(&mut unzipped).unwrap();
            prop_assert_eq!(unzipped, content);
        }
    }
}

#[test]
fn any_change_of_a_name_or_a_content_changes_the_digest() {
    let digest = |name: &str, content: &str| zip_path(directory(&[(name, content)]).path()).unwrap().sha256_base64;
    assert_ne!(digest("index.py", "1"), digest("index.py", "2"));
    assert_ne!(digest("index.py", "1"), digest("main.py", "1"));
}

#[cfg(unix)]
#[test]
fn what_is_executable_stays_so_and_everything_is_readable_by_lambda() {
    let root = directory(&[("bootstrap", "#!/bin/sh"), ("index.py", "")]);
    make_executable(&root.path().join("bootstrap"));
    let package = zip_path(root.path()).unwrap();
    let mut zip = zip::ZipArchive::new(package.content.open()).unwrap();
    let mut mode = |name| zip.by_name(name).unwrap().unix_mode().unwrap() & 0o777;
    assert_eq!((mode("bootstrap"), mode("index.py")), (0o755, 0o644));
}

#[test]
fn what_tools_leave_behind_is_not_shipped() {
    let root = directory(&[
        ("index.py", ""),
        ("index.pyc", ""),
        ("__pycache__/index.cpython-311.pyc", ""),
        (".git/HEAD", ""),
        ("a/.DS_Store", ""),
        (".pytest_cache/README.md", ""),
        (".env", "kept, because it was not a tool that wrote it"),
    ]);
    assert_eq!(names(&zip_path(root.path()).unwrap()), [".env", "index.py"]);
}

#[cfg(unix)]
#[test]
fn a_link_inside_is_followed_and_one_that_leads_out_is_refused() {
    let root = directory(&[("code/index.py", "1"), ("code/shared/log.py", "2"), ("secret.py", "3")]);
    let code = root.path().join("code");
    link("shared", &code.join("lib"));
    assert_eq!(names(&zip_path(&code).unwrap()), ["index.py", "lib/log.py", "shared/log.py"]);

    let refused = |target: &str, expected: Expect| {
        let path = code.join("link");
        link(target, &path);
        let root = root.path().canonicalize().unwrap();
        expected.assert_eq(&refusal(&root, zip_path(&root.join("code"))));
        fs::remove_file(path).unwrap();
    };
    refused(
        "../secret.py",
        expect![
            "the symbolic link `ROOT/code/link` points to `ROOT/secret.py`, outside of what is packaged: move the target inside, or share it through a layer"
        ],
    );
    refused(
        "nowhere.py",
        expect!["the symbolic link `ROOT/code/link` leads to nothing: remove it, or create what it points to"],
    );
    refused(
        "link",
        expect!["the symbolic link `ROOT/code/link` leads to nothing: remove it, or create what it points to"],
    );
    refused(".", expect!["the symbolic link `ROOT/code/link` leads back to a directory that contains it: remove it"]);
}

#[test]
fn a_single_file_is_zipped_alone_and_a_zip_is_taken_as_it_is() {
    let root = directory(&[("index.py", "1"), ("other.py", "2")]);
    let alone = zip_path(&root.path().join("index.py")).unwrap();
    assert_eq!(names(&alone), ["index.py"]);
    let mut made = fs::File::create(root.path().join("made.zip")).unwrap();
    std::io::copy(&mut alone.content.open(), &mut made).unwrap();
    assert_eq!(zip_path(&root.path().join("made.zip")).unwrap(), alone);
}

#[test]
fn what_cannot_be_packaged_is_refused_by_name() {
    let root = directory(&[("empty/__pycache__/a.pyc", ""), ("not.zip", "text")]);
    let refused = |name: &str| refusal(root.path(), zip_path(&root.path().join(name)));
    expect!["nothing to package in `ROOT/empty`: the directory has no files"].assert_eq(&refused("empty"));
    expect!["`ROOT/not.zip` cannot be read as a zip"].assert_eq(&refused("not.zip"));
    expect!["there is no file or directory `ROOT/absent`: paths are relative to the template"]
        .assert_eq(&refused("absent"));
}

#[test]
fn what_is_too_large_for_lambda_is_refused_with_the_biggest_files() {
    let root = directory(&[("index.py", ""), ("data/small.bin", "")]);
    // Sparse, so that the test writes nothing.
    let sized = |name: &str, megabytes: u64| {
        fs::File::create(root.path().join(name)).unwrap().set_len(megabytes << 20).unwrap();
    };
    sized("model.bin", 200);
    sized("data/words.bin", 60);
    expect!["`ROOT` is 260.0 MB unzipped, and Lambda takes 250.0 MB; the biggest files are `model.bin` (200.0 MB), `data/words.bin` (60.0 MB), `data/small.bin` (0.0 MB)"].assert_eq(&refusal(root.path(), zip_path(root.path())));
}

#[test]
fn inline_code_becomes_the_file_that_its_handler_names() {
    assert_eq!(names(&zip_inline("python3.11", "def handler(e, c): pass").unwrap()), ["index.py"]);
    assert_eq!(names(&zip_inline("nodejs22.x", "exports.handler = async () => {}").unwrap()), ["index.js"]);
    let refused = |runtime, source| zip_inline(runtime, source).unwrap_err().to_string();
    expect!["inline code needs a `nodejs` or a `python` runtime, not `java21`: point `Code` to a directory"]
        .assert_eq(&refused("java21", ""));
    expect!["the inline code imports `cfnresponse`, which answers CloudFormation for custom resources: there is no CloudFormation to answer; remove the import"].assert_eq(&refused("python3.11", "import json\nimport cfnresponse"));
    expect!["the inline code imports `cfn-response`, which answers CloudFormation for custom resources: there is no CloudFormation to answer; remove the import"].assert_eq(&refused("nodejs22.x", "const r = require('cfn-response');"));
    zip_inline("python3.11", "# import cfnresponse is not needed").unwrap();
}

/// A layer, the cache it is built in, and a program in the place of pip.
#[cfg(unix)]
struct LayerWorld {
    root: TempDir,
}

#[cfg(unix)]
impl LayerWorld {
    /// `pip` is the body of a shell script in which `$target` is the directory to install into.
    fn new(pip: &str) -> Self {
        let root = directory(&[
            ("layer/requirements.txt", "six==1.17.0 --hash=sha256:aa"),
            ("layer/requirements.in", "six"),
            ("layer/python/payments_common/money.py", "1"),
        ]);
        let script = format!("echo \"$@\" >> {0}/calls\nfor target; do :; done\n{pip}", root.path().display());
        write(root.path(), "pip.sh", &script);
        Self { root }
    }

    fn layer(&self) -> Result<Package, PackageError> {
        let script = self.root.path().join("pip.sh").into_os_string();
        let pip = PipCommand { args: vec![script], ..pip("/bin/sh") };
        layer(&self.root.path().join("layer"), &python311(Architecture::Arm64), &self.root.path().join("cache"), &pip)
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.root.path().join("calls")).unwrap_or_default().lines().count()
    }
}

fn pip(program: &str) -> PipCommand {
    let environment = vec![("PATH".into(), "/usr/bin:/bin".into())];
    PipCommand { program: program.into(), args: Vec::new(), environment, children: Children::default() }
}

fn python311(architecture: Architecture) -> LayerTarget {
    LayerTarget { runtime: "python3.11".to_owned(), architecture, bytecode: Bytecode::LeftOut }
}

/// Writes what pip writes for one package, with what differs between machines.
#[cfg(unix)]
const INSTALL_SIX: &str = "
    mkdir -p $target/six-1.17.0.dist-info $target/bin $target/__pycache__
    echo code > $target/six.py
    echo metadata > $target/six-1.17.0.dist-info/METADATA
    for file in six-1.17.0.dist-info/RECORD six-1.17.0.dist-info/INSTALLER bin/six __pycache__/six.cpython-311.pyc
    do echo $$ > $target/$file; done
";

#[cfg(unix)]
#[test]
fn a_layer_is_its_packages_and_its_own_code_without_what_tells_of_the_machine() {
    let world = LayerWorld::new(INSTALL_SIX);
    let package = world.layer().unwrap();
    assert_eq!(
        names(&package),
        ["python/payments_common/money.py", "python/six-1.17.0.dist-info/METADATA", "python/six.py"]
    );
    assert_eq!(package, LayerWorld::new(INSTALL_SIX).layer().unwrap());
}

#[cfg(unix)]
#[test]
fn pip_is_told_the_layer_s_platform_and_not_this_machine_s() {
    let world = LayerWorld::new(INSTALL_SIX);
    world.layer().unwrap();
    let calls = fs::read_to_string(world.root.path().join("calls")).unwrap();
    let calls = calls.replace(&world.root.path().display().to_string(), "ROOT");
    let (arguments, _) = calls.split_once(" --target ").unwrap();
    expect![[r#"
        install
          --quiet
          --no-input
          --disable-pip-version-check
          --require-hashes
          --only-binary=:all:
          --no-compile
          --implementation cp
          --python-version 3.11
          --platform manylinux_2_26_aarch64
          --platform manylinux_2_25_aarch64
          --platform manylinux_2_24_aarch64
          --platform manylinux_2_23_aarch64
          --platform manylinux_2_22_aarch64
          --platform manylinux_2_21_aarch64
          --platform manylinux_2_20_aarch64
          --platform manylinux_2_19_aarch64
          --platform manylinux_2_18_aarch64
          --platform manylinux_2_17_aarch64
          --platform manylinux2014_aarch64
          --requirement"#]]
    .assert_eq(&arguments.rsplit_once(' ').unwrap().0.replace(" --", "\n  --"));
}

#[cfg(unix)]
#[test]
fn pip_sees_no_credentials_no_project_and_no_file_of_the_user_s() {
    let look = "env > $0.environment; pwd > $0.directory; ls >> $0.directory; cat requirements.txt > $0.requirements";
    let world = LayerWorld::new(&format!("{look}\n{INSTALL_SIX}"));
    world.layer().unwrap();
    let noted = |name: &str| fs::read_to_string(world.root.path().join(format!("pip.sh.{name}"))).unwrap();
    let names: Vec<String> =
        noted("environment").lines().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect();
    // What the shell adds by itself.
    let inherited = names.iter().filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(&name.as_str()));
    assert_eq!(inherited.collect::<Vec<_>>(), ["PATH"]);
    let directory = noted("directory");
    assert!(!directory.contains(world.root.path().to_str().unwrap()), "{directory}");
    assert_eq!(directory.lines().skip(1).collect::<Vec<_>>(), ["requirements.txt"]);
    assert_eq!(noted("requirements"), "six==1.17.0 --hash=sha256:aa\n");
    assert!(PIP_VARIABLES.iter().all(|name| !name.contains("AWS") && !name.starts_with("PYTHON")));
}

#[cfg(unix)]
#[test]
fn a_lock_file_is_not_read_through_a_link_that_leads_out() {
    let world = LayerWorld::new(INSTALL_SIX);
    let lock = world.root.path().join("layer/requirements.txt");
    fs::remove_file(&lock).unwrap();
    write(world.root.path(), "secret", "token");
    std::os::unix::fs::symlink(world.root.path().join("secret"), &lock).unwrap();
    assert!(matches!(world.layer(), Err(PackageError::LinkOutside { .. })));
}

#[cfg(unix)]
#[test]
fn pip_runs_once_and_again_only_for_another_lock_file() {
    let world = LayerWorld::new(INSTALL_SIX);
    let first = world.layer().unwrap();
    assert_eq!(first, world.layer().unwrap());
    assert_eq!(world.calls(), 1);

    write(world.root.path(), "layer/python/payments_common/money.py", "2");
    let changed = world.layer().unwrap();
    assert_ne!(first, changed);
    assert_eq!(changed, world.layer().unwrap());
    assert_eq!(world.calls(), 1);

    write(world.root.path(), "layer/requirements.txt", "six==1.17.0 --hash=sha256:bb");
    world.layer().unwrap();
    assert_eq!(world.calls(), 2);
}

#[cfg(unix)]
#[test]
fn an_installation_that_fails_half_way_is_done_again() {
    let fails_once = format!("{INSTALL_SIX}\n[ -e $0.failed ] || {{ touch $0.failed; echo no network >&2; exit 1; }}");
    let world = LayerWorld::new(&fails_once);
    let root = world.root.path();
    expect![[r#"
        pip could not install `ROOT/layer/requirements.txt` for python3.11 on arm64:
          no network"#]]
    .assert_eq(&refusal(root, world.layer()));
    let package = world.layer().unwrap();
    assert_eq!(package, LayerWorld::new(INSTALL_SIX).layer().unwrap());
}

#[cfg(unix)]
#[test]
fn a_python_that_is_too_old_for_a_package_is_said_to_be_pip_s_own() {
    let world =
        LayerWorld::new("echo \"ERROR: Package 'attrs' requires a different Python: 3.8.18 not in '>=3.9'\"; exit 1");
    expect![[r#"
        pip could not install `ROOT/layer/requirements.txt` for python3.11 on arm64:
          ERROR: Package 'attrs' requires a different Python: 3.8.18 not in '>=3.9'
          pip checks packages against the Python that runs it: run it with one that they support too"#]]
    .assert_eq(&refusal(world.root.path(), world.layer()));
}

#[cfg(unix)]
#[test]
fn what_wants_one_layer_at_the_same_time_installs_it_once() {
    let world = LayerWorld::new(INSTALL_SIX);
    std::thread::scope(|scope| {
        let layers = [(); 4].map(|()| scope.spawn(|| world.layer().unwrap()));
        let [one, two, three, four] = layers.map(|layer| layer.join().unwrap());
        assert!(one == two && two == three && three == four);
    });
    assert_eq!(world.calls(), 1);
}

#[cfg(unix)]
#[test]
fn a_damaged_cache_is_made_good() {
    let world = LayerWorld::new(INSTALL_SIX);
    let whole = world.layer().unwrap();
    let kept = fs::read_dir(world.root.path().join("cache/layers")).unwrap().map(|entry| entry.unwrap().path());
    let kept = kept.into_iter().find(|path| path.extension().is_some_and(|it| it == "package")).unwrap();
    let bytes = fs::read(&kept).unwrap();
    fs::write(&kept, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(world.layer().unwrap(), whole);
    assert_eq!(fs::read(&kept).unwrap(), bytes);
}

#[cfg(unix)]
#[test]
fn a_layer_that_cannot_be_built_says_what_to_do() {
    let world = LayerWorld::new("mkdir $target; echo > $target/six.py");
    let root = world.root.path();
    write(root, "layer/python/six.py", "my own");
    expect!["`python/six.py` is in the layer's directory and in one of its packages: rename the one of yours"]
        .assert_eq(&refusal(root, world.layer()));

    let dir = root.join("layer");
    let no_pip = PipCommand { args: vec!["-m".into(), "pip".into()], ..pip("no-such-python") };
    let built = layer(&dir, &python311(Architecture::X86_64), &root.join("cache"), &no_pip);
    expect!["failed to start `no-such-python -m pip`, which installs a layer's packages: install Python 3 with pip, or put it on the PATH"].assert_eq(&refusal(root, built));

    let node = LayerTarget { runtime: "nodejs22.x".to_owned(), ..python311(Architecture::Arm64) };
    expect!["`ROOT/layer/requirements.txt` lists Python packages, but the layer is for `nodejs22.x`: give it a `python3` runtime"].assert_eq(&refusal(root, layer(&dir, &node, &root.join("cache"), &no_pip)));
}

/// A Python in the place of 3.11's: it compiles each module to a file that says how it was called, or complains of it.
#[cfg(unix)]
const COMPILER: &str = r#"#!/bin/sh
    for directory; do :; done
    case "$*" in *compileall*) ;; *) exit 0;; esac
    grep -rl nonsense "$directory" && exit 1
    find "$directory" -name '*.py' | while read module; do
        mkdir -p "${module%/*}/__pycache__"
        echo "$@" | sed "s|$directory|DIRECTORY|g" > "${module%/*}/__pycache__/$(basename "$module" .py).cpython-311.pyc"
    done
"#;

/// A pip that finds that Python, and nothing but the system's programs beside it.
#[cfg(unix)]
fn with_compiler(root: &Path, pip: PipCommand) -> PipCommand {
    write(root, "bin/python3.11.text", COMPILER);
    // Another process writes the program: one that this process has open cannot be run by another test.
    let program = root.join("bin/python3.11");
    let mut install = std::process::Command::new("install");
    assert!(install.args(["-m", "755"]).arg(root.join("bin/python3.11.text")).arg(program).status().unwrap().success());
    let path = format!("{}:/usr/bin:/bin", root.join("bin").display());
    PipCommand { environment: vec![("PATH".into(), path.into())], ..pip }
}

#[cfg(unix)]
#[test]
fn bytecode_lies_beside_each_module_and_names_files_as_lambda_has_them() {
    let root = directory(&[("code/index.py", "1"), ("code/rules.json", "{}"), ("code/__pycache__/old.pyc", "")]);
    let pip = with_compiler(root.path(), pip("no-such-python"));
    let package = zip_compiled(&root.path().join("code"), "python3.11", &pip).unwrap();
    assert_eq!(names(&package), ["__pycache__/index.cpython-311.pyc", "index.py", "rules.json"]);
    let mut zip = zip::ZipArchive::new(package.content.open()).unwrap();
    let mut call = String::new();
    zip.by_name("__pycache__/index.cpython-311.pyc").unwrap().read_to_string(&mut call).unwrap();
    expect![[r"
        -I -m compileall -q --invalidation-mode unchecked-hash -s DIRECTORY -p /var/task DIRECTORY
    "]]
    .assert_eq(&call);
    assert_eq!(package, zip_compiled(&root.path().join("code"), "python3.11", &pip).unwrap());
    let source = zip_path(&root.path().join("code")).unwrap();
    assert_eq!(source, zip_compiled(&root.path().join("code"), "nodejs22.x", &pip).unwrap());
}

#[cfg(unix)]
#[test]
fn a_layer_has_bytecode_of_its_packages_and_of_its_own_code() {
    let world = LayerWorld::new(INSTALL_SIX);
    let root = world.root.path();
    let source = world.layer().unwrap();
    let script = root.join("pip.sh").into_os_string();
    let pip = with_compiler(root, PipCommand { args: vec![script], ..pip("/bin/sh") });
    let target = LayerTarget { bytecode: Bytecode::Compiled, ..python311(Architecture::Arm64) };
    let compiled = layer(&root.join("layer"), &target, &root.join("cache"), &pip).unwrap();
    assert_eq!(
        names(&compiled),
        [
            "python/__pycache__/six.cpython-311.pyc",
            "python/payments_common/__pycache__/money.cpython-311.pyc",
            "python/payments_common/money.py",
            "python/six-1.17.0.dist-info/METADATA",
            "python/six.py"
        ]
    );
    assert_eq!(compiled, layer(&root.join("layer"), &target, &root.join("cache"), &pip).unwrap());
    assert_eq!(source, world.layer().unwrap());
}

#[cfg(unix)]
#[test]
fn code_that_does_not_compile_and_a_python_that_is_not_there_are_refused() {
    let root = directory(&[("code/index.py", "nonsense"), ("empty/bin", "")]);
    let compiler = with_compiler(root.path(), pip("no-such-python"));
    let code = root.path().join("code");
    expect![[r#"
        `ROOT/code` does not compile:
          index.py"#]]
    .assert_eq(&refusal(root.path(), zip_compiled(&code, "python3.11", &compiler)));
    expect!["found no Python 3.99, whose bytecode the environment asks for (`bytecode = true`): install it, for example with `uv python install 3.99`, or take the line out of paystack.toml"]
        .assert_eq(&refusal(root.path(), zip_compiled(&code, "python3.99", &compiler)));
}

#[test]
fn a_layer_without_a_lock_file_is_zipped_as_it_is() {
    let root = directory(&[("python/money.py", "1"), ("LICENSE", "")]);
    let unused = pip("no-such-python");
    let package = layer(root.path(), &python311(Architecture::Arm64), &root.path().join("cache"), &unused).unwrap();
    assert_eq!(package, zip_path(root.path()).unwrap());
}
