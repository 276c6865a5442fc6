import Crypto
import FoundationEssentials
import Glibc
import Storage

/// Seals what must not be readable in the database: AES-256-GCM under a key in a file of the state folder (mode 0600).
///
/// A sealed value is bound to its place (the associated data), so that it cannot be moved to another service's secret.
package struct SecretBox: Sendable {
    /// 32 bytes.
    private let bytes: [UInt8]
    private var key: SymmetricKey { SymmetricKey(data: bytes) }

    /// Reads the key, or makes one where there is none.
    ///
    /// - Throws: ``StoreError``: `.unwritable`, or `.corrupt` for a key file of the wrong size, which is left as it is.
    package init(keyFile path: String) throws(StoreError) {
        if let existing = FileManager.default.contents(atPath: path) {
            guard existing.count == 32 else {
                throw StoreError(
                    .corrupt, "\(path) is no key: it has \(existing.count) bytes instead of 32",
                    hint: "put back the file that was there when the secrets were stored")
            }
            bytes = Array(existing)
            return
        }
        bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw StoreError(.unwritable, "cannot write \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(path)
            throw StoreError(.unwritable, "cannot write \(path): \(reason)")
        }
    }

    package func seal(_ text: String, for place: String) throws -> [UInt8] {
        let box = try AES.GCM.seal(Data(text.utf8), using: key, authenticating: Data(place.utf8))
        // `combined` is there for every nonce of the standard size, which `seal` chose.
        guard let combined = box.combined else { throw StoreError(.corrupt, "a secret could not be sealed") }
        return Array(combined)
    }

    /// - Throws: ``StoreError`` `.corrupt` where the key is another one, or the value was changed or moved.
    package func open(_ sealed: [UInt8], for place: String) throws -> String {
        do {
            let box = try AES.GCM.SealedBox(combined: Data(sealed))
            return String(decoding: try AES.GCM.open(box, using: key, authenticating: Data(place.utf8)), as: UTF8.self)
        } catch {
            throw StoreError(
                .corrupt, "the sealed value of \(place) cannot be opened with this state folder's key",
                hint: "put back the key file that was there when it was stored")
        }
    }

    /// A keyed digest, so that two secrets can be compared without being kept.
    package func digest(_ text: String) -> String {
        Self.hex(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
    }
}

extension SecretBox {
    /// SHA-256 in hexadecimal.
    static func sha256(_ bytes: [UInt8]) -> String { hex(SHA256.hash(data: bytes)) }

    /// Tells keys apart and says nothing of them.
    static func fingerprint(_ key: [UInt8]) -> String {
        String(sha256(Array("microstax key".utf8) + key).prefix(16))
    }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
