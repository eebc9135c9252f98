//! Every relative link and every anchor in the Markdown files of the repository resolves. Links to
//! other sites are not fetched: they may fail for reasons outside the repository.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::process::Command;

use pulldown_cmark::{BrokenLink, Event, LinkType, Options, Parser, Tag, TagEnd};

/// The links of one Markdown file, and its anchors.
#[derive(Default)]
struct Page {
    /// Line and destination.
    links: Vec<(usize, String)>,
    anchors: BTreeSet<String>,
    /// Line and label of each reference without a definition.
    undefined: Vec<(usize, String)>,
}

impl Page {
    fn parse(text: &str) -> Self {
        let line = |offset: usize| text[..offset].matches('\n').count() + 1;
        let mut page = Self::default();
        let mut undefined = Vec::new();
        let mut note = |link: BrokenLink<'_>| {
            // A single [word] is usually text, not a link.
            if matches!(link.link_type, LinkType::Reference | LinkType::Collapsed) {
                undefined.push((line(link.span.start), link.reference.to_string()));
            }
            None
        };
        let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
        let parser = Parser::new_with_broken_link_callback(text, options, Some(&mut note));
        let mut heading: Option<String> = None;
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (event, range) in parser.into_offset_iter() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push((line(range.start), dest_url.to_string()));
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let slug = slug(&heading.take().unwrap_or_default());
                    let before = seen.entry(slug.clone()).or_insert(0);
                    page.anchors.insert(match *before {
                        0 => slug,
                        count => format!("{slug}-{count}"),
                    });
                    *before += 1;
                }
                _ => {}
            }
        }
        page.undefined = undefined;
        page
    }
}

/// The anchor that GitHub gives a heading.
fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The files by their paths from the root, with the text of Markdown files.
type Files = BTreeMap<String, Option<String>>;

/// Each broken link: its file, its line, and what is wrong.
fn broken(files: &Files) -> Vec<String> {
    let markdown = files
        .iter()
        .filter_map(|(path, text)| Some((path.as_str(), Page::parse(text.as_ref()?))));
    let pages: BTreeMap<&str, Page> = markdown.collect();
    let mut folders = BTreeSet::from([String::new()]);
    for path in files.keys() {
        let ancestors = Path::new(path).ancestors().skip(1);
        folders.extend(ancestors.map(|folder| folder.to_str().unwrap().to_owned()));
    }
    let mut found = Vec::new();
    for (path, page) in &pages {
        for (line, label) in &page.undefined {
            found.push(format!("{path}:{line}: [{label}] is not defined"));
        }
        for (line, link) in &page.links {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (target, anchor) = match link.split_once('#') {
                Some((target, anchor)) => (target, Some(anchor)),
                None => (link.as_str(), None),
            };
            let target = match target {
                "" => Some((*path).to_owned()),
                target => resolve(path, target),
            };
            let target = target.filter(|it| files.contains_key(it) || folders.contains(it));
            let Some(target) = target else {
                found.push(format!("{path}:{line}: {link} does not exist"));
                continue;
            };
            // GitHub shows a folder's README below the folder.
            let readme = format!("{target}/README.md");
            let readme = readme.trim_start_matches('/');
            let shown = pages.get(target.as_str()).or(pages.get(readme));
            let has = |anchor| shown.is_some_and(|page| page.anchors.contains(anchor));
            if anchor.is_some_and(|anchor| !has(anchor)) {
                found.push(format!("{path}:{line}: {link}: no such heading"));
            }
        }
    }
    found
}

/// The path of the target of a link, from the root; `None` if it is outside the repository.
fn resolve(page: &str, link: &str) -> Option<String> {
    let (mut parts, link) = match link.strip_prefix('/') {
        Some(link) => (Vec::new(), link),
        None => (page.split('/').collect(), link),
    };
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Standard output of a git command.
fn git(arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("starting git");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_relative_link_and_anchor_resolves() {
    let root = git(&["rev-parse", "--show-toplevel"]);
    let root = Path::new(root.trim_end());
    // Includes files that are not committed yet, and excludes ignored and deleted files.
    let which = ["--cached", "--others", "--exclude-standard", "-z"];
    let root_argument = root.to_str().unwrap();
    let listed = git(&[&["-C", root_argument, "ls-files"][..], &which[..]].concat());
    let mut files = Files::new();
    for path in listed.split_terminator('\0') {
        let file = root.join(path);
        if !file.exists() {
            continue;
        }
        let is_markdown = file.extension().is_some_and(|extension| extension == "md");
        let text = is_markdown.then(|| std::fs::read_to_string(&file).unwrap());
        files.insert(path.to_owned(), text);
    }
    assert!(files.contains_key("README.md"), "{files:?}");
    let found = broken(&files);
    assert!(found.is_empty(), "broken links:\n{}", found.join("\n"));
}

/// The README is read in a minute or two: everything longer belongs in docs. Code blocks count too.
#[test]
fn the_readme_has_at_most_800_words() {
    let root = git(&["rev-parse", "--show-toplevel"]);
    let readme = std::fs::read_to_string(Path::new(root.trim_end()).join("README.md")).unwrap();
    let count = readme.split_whitespace().count();
    assert!(count <= 800, "README.md has {count} words");
}

fn files(pages: &[(&str, &str)]) -> Files {
    let pages = pages.iter().map(|(path, text)| {
        let is_markdown = path.ends_with(".md");
        ((*path).to_owned(), is_markdown.then(|| (*text).to_owned()))
    });
    pages.collect()
}

#[test]
fn reports_each_broken_link_and_anchor_with_its_line() {
    let page = "# Page\n\n[gone](gone.md) [out](../../x.md)\n\n| [cell](other.md#nowhere) |\n|---|\n| [own](#nowhere) |\n\n[text][label] ![image](gone.png) [code](../src/main.rs#L1)\n";
    let found = broken(&files(&[
        ("docs/page.md", page),
        ("docs/other.md", "# Other\n"),
        ("src/main.rs", ""),
    ]));
    let expected = [
        "docs/page.md:9: [label] is not defined",
        "docs/page.md:3: gone.md does not exist",
        "docs/page.md:3: ../../x.md does not exist",
        "docs/page.md:5: other.md#nowhere: no such heading",
        "docs/page.md:7: #nowhere: no such heading",
        "docs/page.md:9: gone.png does not exist",
        "docs/page.md:9: ../src/main.rs#L1: no such heading",
    ];
    assert_eq!(found, expected);
}

#[test]
fn accepts_links_to_files_folders_headings_and_other_sites() {
    let page = "# What `it` does, and why?\n\n## Twice\n\n## Twice\n\n[a](#what-it-does-and-why) [b](#twice-1) [c](../README.md#top) [d](/src) [e](..#top) [f](https://example.com/#x) [g](mailto:a@b.c) <https://example.com> [h][ref]\n\n```md\n[in code](gone.md)\n```\n\n- [ ] a [word] and `[code](gone.md)`\n\n[ref]: ../src/main.rs\n";
    let found = broken(&files(&[
        ("docs/page.md", page),
        ("README.md", "# Top\n"),
        ("src/main.rs", ""),
    ]));
    assert_eq!(found, [""; 0]);
}
