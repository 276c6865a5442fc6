import Foundation
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import Certificates

@Suite struct LocalAuthorityTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    @Test func itIsMadeOnceAndKept() async throws {
        try await withTemporaryFolder { folder in
            let place = folder + "/ca"
            #expect(try LocalAuthority.load(folder: place) == nil)
            let made = try LocalAuthority.loadOrMake(folder: place, owner: "me@here", now: now)
            let again = try LocalAuthority.loadOrMake(folder: place, owner: "else", now: now + 5)
            #expect(made.fingerprint == again.fingerprint)
            #expect(made.certificatePEM == again.certificatePEM)
            let mode = try FileManager.default.attributesOfItem(atPath: place + "/authority.key")[.posixPermissions]
            #expect(mode as? Int == 0o600)
            #expect(try String(contentsOfFile: place + "/authority.pem", encoding: .utf8) == made.certificatePEM)
            #expect(!made.certificatePEM.contains("PRIVATE"))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: place).sorted() == [
                    "authority.key", "authority.pem",
                ])
        }
    }

    @Test func ofManyMakersOneWins() async throws {
        try await withTemporaryFolder { folder in
            let prints = try await withThrowingTaskGroup(of: Fingerprint.self) { group in
                for _ in 0..<8 {
                    group.addTask { try LocalAuthority.loadOrMake(folder: folder, owner: "me", now: now).fingerprint }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(prints.count == 1)
        }
    }

    @Test func aKeyThatOthersMayReadIsNotUsed() async throws {
        try await withTemporaryFolder { folder in
            _ = try LocalAuthority.loadOrMake(folder: folder, owner: "me", now: now)
            let path = LocalAuthority.keyPath(inFolder: folder)
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
            let problem = #expect(throws: AuthorityProblem.self) { try LocalAuthority.load(folder: folder) }
            #expect(problem?.code == .exposed)
            #expect(problem?.hint == "chmod 600 \(path)")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            try Data("what is this".utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            #expect(throws: AuthorityProblem.self) { try LocalAuthority.load(folder: folder) }
        }
    }

    @Test(arguments: [
        ("localhost", true), ("web.shop.localhost", true), ("WEB--alice.shop.LOCALHOST.", true),
        ("example.com", false), ("localhost.example.com", false), ("notlocalhost", false), (".localhost", false),
        ("a..localhost", false), ("*.localhost", false), ("a b.localhost", false), ("", false), ("127.0.0.1", false),
    ])
    func itSpeaksForThisMachineAlone(_ name: String, _ isAllowed: Bool) {
        #expect((LoopbackName(name) != nil) == isAllowed)
    }

    /// The law itself is that of other implementations: `openssl verify` in the gateway's tests.
    @Test func whatIsSignedIsConstrained() async throws {
        try await withTemporaryFolder { folder in
            let authority = try LocalAuthority.loadOrMake(folder: folder, owner: "me@here", now: now)
            let certificate = try Certificate(pemEncoded: authority.certificatePEM)
            let constraints = try #require(try certificate.extensions.nameConstraints)
            #expect(Array(constraints.permittedDNSDomains) == ["localhost"])
            #expect(constraints.permittedIPRanges.count == 2)
            #expect(try certificate.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: 0))
            let name = try #require(LoopbackName("web.shop.localhost"))
            let leaf = try authority.issue(for: name, now: now)
            let signed = try Certificate(pemEncoded: leaf.certificatePEM)
            #expect(try signed.extensions.subjectAlternativeNames?.first == .dnsName("web.shop.localhost"))
            #expect(try signed.extensions.basicConstraints == .notCertificateAuthority)
            #expect(certificate.publicKey.isValidSignature(signed.signature, for: signed))
            #expect(!leaf.isDue(now + 4 * 86_400))
            #expect(leaf.isDue(now + 5 * 86_400))
            #expect(leaf.isDue(now - 60))
            let last = try authority.issue(for: name, now: authority.notAfter - 60)
            #expect(last.notAfter == authority.notAfter)
        }
    }
}
