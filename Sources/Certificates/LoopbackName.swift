import SwiftASN1
import X509

/// A name that the local authority speaks for: `localhost`, one below it, or a loopback address.
package struct LoopbackName: Sendable, Hashable, CustomStringConvertible {
    /// In lower case, without a final dot; empty for a client that named nobody.
    package let description: String

    /// What a client that names nobody may have meant: `https://127.0.0.1`, `https://[::1]`, an old program.
    package static let unnamed = LoopbackName(unchecked: "")

    package var isUnnamed: Bool { description.isEmpty }

    /// 127.0.0.0/8 and ::1/128, as name constraints write them (RFC 5280 section 4.2.1.10).
    static let ranges: [[UInt8]] = [
        [127, 0, 0, 0, 255, 0, 0, 0],
        [UInt8](repeating: 0, count: 15) + [1] + [UInt8](repeating: 255, count: 16),
    ]

    private init(unchecked name: String) { description = name }

    /// `nil` for a name that is not of this machine, or no name at all.
    package init?(_ name: some StringProtocol) {
        var name = name.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        guard name == "localhost" || name.hasSuffix(".localhost"), name.utf8.count <= 253 else { return nil }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.allSatisfy({ (1...63).contains($0.utf8.count) && $0.utf8.allSatisfy(Self.isAllowed) }) else {
            return nil
        }
        description = name
    }

    /// RFC 1123, and the underscore that some names have.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    var alternatives: [GeneralName] {
        guard description.isEmpty else { return [.dnsName(description)] }
        return [
            .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
            .ipAddress(ASN1OctetString(contentBytes: ([UInt8](repeating: 0, count: 15) + [1])[...])),
        ]
    }
}
