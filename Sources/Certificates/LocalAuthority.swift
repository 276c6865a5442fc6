import Crypto
import Files
import Foundation
import Glibc
import SwiftASN1
import X509

/// A key that signs certificates for names of this machine, with its own certificate.
package struct LocalAuthority: Sendable {
    /// What browsers and `curl --cacert` are told to trust.
    package let certificatePEM: String
    package let notAfter: Date
    /// SHA-256 over the certificate's bytes.
    package let fingerprint: Fingerprint
    private let key: Certificate.PrivateKey
    private let name: DistinguishedName
    private let keyIdentifier: SubjectKeyIdentifier

    /// How long a new authority lives. Whoever trusts it does so by hand, so this is long.
    package static let lifetime: TimeInterval = 10 * 365 * 86_400
    /// How long a leaf lives. It is made anew in memory, so this is short.
    package static let leafLifetime: TimeInterval = 7 * 86_400
    /// A clock that is behind ours must not find a leaf that is not valid yet.
    private static let backdating: TimeInterval = 3600

    /// `alice@laptop`, for the name of an authority, so that a list of them says whose each is.
    package static var thisUser: String { "\(NSUserName())@\(ProcessInfo.processInfo.hostName)" }

    // MARK: On disk

    /// The key together with its certificate, so that there is never one without the other; for its owner alone.
    package static func keyPath(inFolder folder: String) -> String { folder + "/authority.key" }
    /// A copy of the certificate, for everybody.
    package static func certificatePath(inFolder folder: String) -> String { folder + "/authority.pem" }

    /// `nil` where none was made yet.
    ///
    /// - Throws: ``AuthorityProblem``; a key that others may read is not used.
    package static func load(folder: String) throws(AuthorityProblem) -> LocalAuthority? {
        let path = keyPath(inFolder: folder)
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw AuthorityProblem(.unreadable, path, String(cString: strerror(errno)))
        }
        guard status.st_mode & 0o077 == 0 else {
            throw AuthorityProblem(
                .exposed, path, "others than its owner may read it", hint: "chmod 600 \(path)")
        }
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw AuthorityProblem(.unreadable, path, error.localizedDescription)
        }
        do {
            return try LocalAuthority(pem: text)
        } catch {
            throw AuthorityProblem(
                .unreadable, path, "it is no key with its certificate",
                hint: "move it away, and run: microstax trust")
        }
    }

    /// Makes one where there is none. Of several that do so at once, one is made and all get it.
    ///
    /// - Parameter folder: is made, for its owner alone.
    package static func loadOrMake(folder: String, owner: String, now: Date) throws(AuthorityProblem) -> LocalAuthority
    {
        if let known = try load(folder: folder) {
            try known.writeCertificate(folder: folder)
            return known
        }
        let path = keyPath(inFolder: folder)
        let aside = "\(path).\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let made = try make(owner: owner, now: now)
            try AtomicFile.write(Array(made.utf8), to: aside, mode: 0o600)
        } catch {
            throw AuthorityProblem(.unwritable, path, "\(error)")
        }
        defer { unlink(aside) }
        guard link(aside, path) == 0 || errno == EEXIST else {
            throw AuthorityProblem(.unwritable, path, String(cString: strerror(errno)))
        }
        guard let made = try load(folder: folder) else {
            throw AuthorityProblem(.unwritable, path, "it went away as it was made")
        }
        try made.writeCertificate(folder: folder)
        return made
    }

    /// Its key and its certificate, for good.
    package static func delete(folder: String) throws(AuthorityProblem) {
        for path in [keyPath(inFolder: folder), certificatePath(inFolder: folder)] {
            guard unlink(path) == 0 || errno == ENOENT else {
                throw AuthorityProblem(.unwritable, path, String(cString: strerror(errno)))
            }
        }
    }

    private func writeCertificate(folder: String) throws(AuthorityProblem) {
        let path = Self.certificatePath(inFolder: folder)
        guard FileManager.default.contents(atPath: path) != Data(certificatePEM.utf8) else { return }
        do {
            try AtomicFile.write(Array(certificatePEM.utf8), to: path, mode: 0o644)
        } catch {
            throw AuthorityProblem(.unwritable, path, error.reason)
        }
    }

    // MARK: Making

    /// Key and certificate, one after the other.
    private static func make(owner: String, now: Date) throws -> String {
        let key = P256.Signing.PrivateKey()
        let signer = Certificate.PrivateKey(key)
        let name = try DistinguishedName {
            OrganizationName("MicroStax local authority")
            CommonName("MicroStax \(owner)")
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: signer.publicKey,
            notValidBefore: now - backdating, notValidAfter: now + lifetime, issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                Critical(
                    NameConstraints(
                        permittedDNSDomains: ["localhost"],
                        permittedIPRanges: LoopbackName.ranges.map { ASN1OctetString(contentBytes: $0[...]) }))
                SubjectKeyIdentifier(hash: signer.publicKey)
            },
            issuerPrivateKey: signer)
        return key.pemRepresentation + "\n" + (try certificate.serializeAsPEM().pemString) + "\n"
    }

    private init(pem: String) throws {
        var key: Certificate.PrivateKey?
        var certificate: Certificate?
        for document in try PEMDocument.parseMultiple(pemString: pem) {
            if document.discriminator == Certificate.defaultPEMDiscriminator {
                certificate = try Certificate(pemDocument: document)
            } else {
                key = try Certificate.PrivateKey(pemDocument: document)
            }
        }
        guard let key, let certificate, key.publicKey == certificate.publicKey else { throw Incomplete() }
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        self.key = key
        name = certificate.subject
        notAfter = certificate.notValidAfter
        keyIdentifier = SubjectKeyIdentifier(hash: certificate.publicKey)
        certificatePEM = try certificate.serializeAsPEM().pemString + "\n"
        fingerprint = Fingerprint(bytes: Array(SHA256.hash(data: serializer.serializedBytes)))
    }

    private struct Incomplete: Error {}

    // MARK: Signing

    /// A certificate with a key of its own.
    package func issue(for leafName: LoopbackName, now: Date) throws -> Leaf {
        let leafKey = P256.Signing.PrivateKey()
        let publicKey = Certificate.PrivateKey(leafKey).publicKey
        let notAfter = min(now + Self.leafLifetime, notAfter)
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
            notValidBefore: now - Self.backdating, notValidAfter: notAfter, issuer: name,
            subject: try DistinguishedName { OrganizationName("MicroStax local certificate") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(leafName.alternatives)
                AuthorityKeyIdentifier(keyIdentifier: keyIdentifier.keyIdentifier)
            },
            issuerPrivateKey: key)
        return Leaf(
            certificatePEM: try certificate.serializeAsPEM().pemString + "\n", keyPEM: leafKey.pemRepresentation + "\n",
            notBefore: now, notAfter: notAfter)
    }
}

/// A certificate that the authority signed, with its key.
package struct Leaf: Sendable {
    package let certificatePEM: String
    package let keyPEM: String
    package let notBefore: Date
    package let notAfter: Date

    /// Two thirds of its life are over: time for another one.
    package func isDue(_ now: Date) -> Bool {
        now >= notBefore + notAfter.timeIntervalSince(notBefore) * 2 / 3 || now < notBefore
    }
}

/// SHA-256 of a certificate.
package struct Fingerprint: Sendable, Hashable, CustomStringConvertible {
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// `AB:CD:…`, as other programs print it.
    package var description: String { bytes.map { String(format: "%02X", $0) }.joined(separator: ":") }
    /// Eight hexadecimal digits, for names of files.
    package var short: String { bytes.prefix(4).map { String(format: "%02x", $0) }.joined() }
}

/// Why there is no authority to sign with.
package struct AuthorityProblem: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable { case unreadable, exposed, unwritable }

    package let code: Code
    package let path: String
    package let reason: String
    /// The next command to type.
    package let hint: String?

    init(_ code: Code, _ path: String, _ reason: String, hint: String? = nil) {
        (self.code, self.path, self.reason, self.hint) = (code, path, reason, hint)
    }

    package var description: String { "the local authority's key \(path) cannot be used: \(reason)" }
}
