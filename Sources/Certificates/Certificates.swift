/// The local certificate authority: who vouches, on this machine alone, for `https://….localhost`.
///
/// `LocalAuthority` is a key and a certificate in the state folder. Its certificate is constrained to `localhost`, the
/// names below it and loopback addresses (RFC 5280 section 4.2.1.10), so that a key that is stolen speaks for nobody
/// else. It signs leaves for a few days at a time, whose keys stay in memory. `SystemStore` puts its certificate where the
/// machine's programs look for authorities.
///
/// Nothing here knows sockets, TLS or who asks; times are passed in.
package enum Certificates {}
