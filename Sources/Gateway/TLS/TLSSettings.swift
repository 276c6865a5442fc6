/// How a gateway answers TLS on its shared edge port.
///
/// The port answers plain HTTP and TLS alike: a client's first byte says which it is (0x16 begins a TLS handshake, RFC
/// 8446 section 5.1, and no HTTP request). One port means one address to remember: `https://` instead of `http://`, and
/// nothing else changes.
package enum TLSSettings: Sendable, Hashable {
    /// A client that begins a handshake is closed.
    case off
    /// The local authority in this folder signs for `localhost`, every name below it, and loopback addresses. It is made
    /// where there is none.
    case localAuthority(folder: String)
    /// One certificate for every name, with the chain that leads to it, and its key, both in PEM. The files are read again
    /// when they change.
    case files(certificate: String, key: String)
}
