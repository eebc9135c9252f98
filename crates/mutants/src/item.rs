//! Finds an item of a Rust file by its name.

use std::ops::Range;

use anyhow::{Context as _, bail};
use syn::spanned::Spanned;
use syn::{ImplItem, Item, Type};

/// The byte range of a function, method, constant or type, by its name: `name`, or `Type::name` for
/// an item of an `impl`. Items in a module named `tests` do not count.
///
/// # Errors
/// If the file is not valid Rust, or has no such item, or several.
pub fn find(text: &str, name: &str) -> anyhow::Result<Range<usize>> {
    let file = syn::parse_file(text).context("parsing the file")?;
    let mut named = Vec::new();
    collect(&file.items, &mut named);
    named.retain(|(found, _)| found == name);
    match named.as_slice() {
        [(_, range)] => Ok(range.clone()),
        [] => bail!("no item is called {name}"),
        _ => bail!("{} items are called {name}", named.len()),
    }
}

fn collect(items: &[Item], named: &mut Vec<(String, Range<usize>)>) {
    for item in items {
        let name = match item {
            Item::Fn(function) => &function.sig.ident,
            Item::Const(constant) => &constant.ident,
            Item::Struct(structure) => &structure.ident,
            Item::Enum(enumeration) => &enumeration.ident,
            Item::Impl(block) => {
                collect_methods(&block.self_ty, &block.items, named);
                continue;
            }
            Item::Mod(module) if module.ident != "tests" => {
                let content = module.content.as_ref();
                collect(content.map_or(&[], |(_, items)| items), named);
                continue;
            }
            _ => continue,
        };
        named.push((name.to_string(), item.span().byte_range()));
    }
}

fn collect_methods(of: &Type, items: &[ImplItem], named: &mut Vec<(String, Range<usize>)>) {
    let Type::Path(of) = of else { return };
    let Some(of) = of.path.segments.last() else {
        return;
    };
    for item in items {
        let name = match item {
            ImplItem::Fn(method) => &method.sig.ident,
            ImplItem::Const(constant) => &constant.ident,
            _ => continue,
        };
        let name = format!("{}::{name}", of.ident);
        named.push((name, item.span().byte_range()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
        const LIMIT: u8 = 1;
        fn free() { body() }
        impl Pair<'_> { fn first(&self) -> u8 { 1 } }
        impl Display for Pair<'_> { fn fmt(&self) {} }
        impl Debug for Pair<'_> { fn fmt(&self) {} }
        mod inner { fn nested() {} }
        mod tests { fn free() {} }
    ";

    #[test]
    fn finds_functions_methods_and_constants() {
        for (name, text) in [
            ("LIMIT", "const LIMIT: u8 = 1;"),
            ("free", "fn free() { body() }"),
            ("Pair::first", "fn first(&self) -> u8 { 1 }"),
            ("nested", "fn nested() {}"),
        ] {
            assert_eq!(&FILE[find(FILE, name).unwrap()], text);
        }
    }

    #[test]
    fn rejects_a_missing_or_ambiguous_item() {
        let error = |name| find(FILE, name).unwrap_err().to_string();
        assert_eq!(error("first"), "no item is called first");
        assert_eq!(error("Pair::fmt"), "2 items are called Pair::fmt");
    }
}
