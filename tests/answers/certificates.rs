//! A certificate authority of a company's own, and certificates that are and are not fit.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;

/// The name that leads nowhere but through a proxy.
pub const NAME: &str = "pinecone.invalid";

type Authority = CertifiedIssuer<'static, KeyPair>;

pub struct Certificates {
    /// The authority's own certificate.
    pub pem: String,
    pub good: TlsAcceptor,
    /// Of another authority.
    pub untrusted: TlsAcceptor,
    pub wrong_name: TlsAcceptor,
    pub expired: TlsAcceptor,
}

impl Certificates {
    pub fn new() -> Self {
        let ours = authority();
        let own = ["127.0.0.1", NAME];
        Self {
            pem: ours.pem(),
            good: acceptor(&ours, &own, 4096),
            untrusted: acceptor(&authority(), &own, 4096),
            wrong_name: acceptor(&ours, &["elsewhere.invalid"], 4096),
            expired: acceptor(&ours, &own, 2001),
        }
    }
}

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    let name = "a company's own authority";
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn acceptor(authority: &Authority, names: &[&str], until: i32) -> TlsAcceptor {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
