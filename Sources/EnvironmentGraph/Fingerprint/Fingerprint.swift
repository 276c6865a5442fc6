import Crypto

/// SHA-256 of a canonical form: equal for what means the same, different for what does not. Written `sha256:` and 64
/// digits. What counts as meaning is in docs/internals/fingerprints.md.
package struct Fingerprint: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(of form: CanonicalValue) {
        var text = Array("sha256:".utf8)
        for byte in SHA256.hash(data: form.bytes) {
            text.append(CanonicalValue.hex(byte >> 4))
            text.append(CanonicalValue.hex(byte & 15))
        }
        description = String(decoding: text, as: UTF8.self)
    }
}

/// What one service is, wherever and as often as its environment is made: `svc-` and 26 base32 digits.
///
/// The same name in two environments means the same service (that is how an overlay says which one it changes), so nothing
/// of an environment goes into it: it stays over its environments' renaming, deletion and creation, in every lineage.
package struct ServiceIdentity: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ service: String) {
        let form = CanonicalValue.members(["form": .text("service/1"), "name": .text(service)])
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        var text = Array("svc-".utf8)
        var (bits, count) = (UInt32(0), 0)
        // RFC 4648, lower case, of the first 130 bits.
        for byte in SHA256.hash(data: form.bytes).prefix(17) {
            (bits, count) = (bits << 8 | UInt32(byte), count + 8)
            while count >= 5, text.count < 30 {
                count -= 5
                text.append(alphabet[Int(bits >> UInt32(count)) & 31])
            }
            bits &= 0xFF
        }
        description = String(decoding: text, as: UTF8.self)
    }
}
