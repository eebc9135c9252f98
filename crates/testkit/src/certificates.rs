//! The control plane's own certificate authority and keys, created for each start.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

/// The PEM files that kube-apiserver reads, and what a client needs.
#[derive(Debug)]
pub(crate) struct Certificates {
    pub(crate) directory: PathBuf,
    pub(crate) ca: String,
    pub(crate) admin: Identity,
}

#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Certificates {
    /// Writes `ca.crt`, `server.{crt,key}` and `service-account.{key,pub}` to the directory.
    pub(crate) fn create(directory: &Path) -> Result<Self> {
        Self::generate(directory).context("making the control plane's certificates")
    }

    fn generate(directory: &Path) -> Result<Self> {
        let ca = authority()?;
        let server = issue(
            &ca,
            "kube-apiserver",
            None,
            ExtendedKeyUsagePurpose::ServerAuth,
        )?;
        let admin = issue(
            &ca,
            "testkit-admin",
            Some("system:masters"),
            ExtendedKeyUsagePurpose::ClientAuth,
        )?;
        let tokens = KeyPair::generate()?;
        for (name, pem) in [
            ("ca.crt", ca.pem()),
            ("server.crt", server.certificate),
            ("server.key", server.key),
            ("service-account.key", tokens.serialize_pem()),
            ("service-account.pub", tokens.public_key_pem()),
        ] {
            std::fs::write(directory.join(name), pem)?;
        }
        Ok(Self {
            directory: directory.to_owned(),
            ca: ca.pem(),
            admin,
        })
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(
        DnType::CommonName,
        "index-restore-operator test control plane",
    );
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

fn issue(
    ca: &CertifiedIssuer<'static, KeyPair>,
    user: &str,
    group: Option<&str>,
    usage: ExtendedKeyUsagePurpose,
) -> Result<Identity> {
    let mut params = CertificateParams::new(["127.0.0.1", "localhost"].map(String::from))?;
    params.distinguished_name.push(DnType::CommonName, user);
    if let Some(group) = group {
        params
            .distinguished_name
            .push(DnType::OrganizationName, group);
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, ca)?.pem();
    Ok(Identity {
        certificate,
        key: key.serialize_pem(),
    })
}
