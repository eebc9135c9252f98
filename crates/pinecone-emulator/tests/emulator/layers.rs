use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The source files by their module path, such as `faults::plan`, without tests.
fn sources(folder: &Path, module: &[String], found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut module = module.to_vec();
        if !["mod", "lib"].contains(&name.as_str()) {
            module.push(name.clone());
        }
        if path.is_dir() && name != "tests" {
            sources(&path, &module, found);
        } else if path.is_file() && name != "main" {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            let lines = code.lines().filter(|line| !line.trim().starts_with("//"));
            found.insert(module.join("::"), lines.collect::<Vec<_>>().join("\n"));
        }
    }
}

/// The files that a file imports by `crate::`, or declares: a folder's `mod.rs` may re-export from its files.
fn imports(module: &str, code: &str, files: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut paths: Vec<String> = code
        .split("crate::")
        .skip(1)
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
            rest[..end.unwrap_or(rest.len())].to_owned()
        })
        .collect();
    let declared = code.lines().filter_map(|line| {
        let (_, name) = line.strip_suffix(';')?.split_once("mod ")?;
        Some(
            format!("{module}::{name}")
                .trim_start_matches("::")
                .to_owned(),
        )
    });
    paths.extend(declared);
    let file = |path: &String| {
        let mut path = path.trim_end_matches("::");
        while !files.contains_key(path) {
            path = path.rsplit_once("::").map_or("", |(parent, _)| parent);
        }
        path.to_owned()
    };
    paths.iter().map(file).collect()
}

#[test]
fn no_file_imports_itself_through_others() {
    let mut files = BTreeMap::new();
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    sources(&root, &[], &mut files);
    assert!(
        files
            .values()
            .all(|code| !code.contains("super::{") && !code.contains("use super"))
    );
    let mut graph: BTreeMap<&str, BTreeSet<String>> = files
        .iter()
        .map(|(module, code)| (module.as_str(), imports(module, code, &files)))
        .collect();
    // Removes files that import no remaining file, until none is left; files in a cycle would remain.
    while !graph.is_empty() {
        let remaining: BTreeSet<String> = graph.keys().map(|module| (*module).to_owned()).collect();
        graph.retain(|_, imports| !imports.is_disjoint(&remaining));
        assert!(
            graph.len() < remaining.len(),
            "in a cycle, or importing one: {graph:#?}"
        );
    }
}
