//! The program of an image, started with the restrictions of a cluster.

use testkit::{Operator, OperatorBuilder};

use crate::layout::Image;

/// Starts the program with a read-only root, the image's user and environment, no capabilities and
/// no new privileges.
pub fn contained(image: &Image, arguments: &[&str]) -> OperatorBuilder {
    // chroot needs three capabilities, and gets only the inherited ones without a bounding set. The
    // program that it starts is not root and has none.
    const SCRIPT: &str = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && cd \"$0\" \
        && exec setpriv --inh-caps=+sys_chroot,+setuid,+setgid setpriv --no-new-privs --bounding-set=-all \
            chroot --userspec=\"$1\" \"$0\" \"${@:2}\"";
    let mut command: Vec<&str> = Vec::new();
    let of = |part: &'static str| -> Vec<String> {
        let listed = image.config[part].as_array().into_iter().flatten();
        listed
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    let (entry, defaults) = (of("Entrypoint"), of("Cmd"));
    command.extend(entry.iter().chain(&defaults).map(String::as_str));
    command.extend(arguments);
    let environment = of("Env");
    let builder = Operator::builder("/usr/bin/unshare")
        .args(["--mount", "--propagation=private", "bash", "-c", SCRIPT])
        .arg(image.root.path())
        .arg(image.config["User"].as_str().unwrap())
        .args(command);
    environment.iter().fold(builder, |builder, variable| {
        let (name, value) = variable.split_once('=').unwrap();
        builder.env(name, value)
    })
}
