import Foundation
import TestSupport
import Testing

@testable import Certificates

/// Against a system made of a folder and a program that does what Debian's does.
@Suite struct SystemStoreTests {
    private func withSystem(
        _ program: String = "cat ../../usr/local/share/ca-certificates/*.crt >../../etc/ssl/certs/ca-certificates.crt",
        _ body: (String, LocalAuthority, SystemStore) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { root in
            for folder in ["/usr/local/share/ca-certificates", "/usr/sbin", "/etc/ssl/certs"] {
                try FileManager.default.createDirectory(atPath: root + folder, withIntermediateDirectories: true)
            }
            let path = root + "/usr/sbin/update-ca-certificates"
            #expect(SystemStore.find(root: root) == nil)
            try Data("#!/bin/sh\ncd \"${0%/*}\"\n\(program)\n".utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            let authority = try LocalAuthority.loadOrMake(folder: root + "/authority", owner: "me", now: Date())
            try await body(root, authority, try #require(SystemStore.find(root: root)))
        }
    }

    @Test func itIsAddedAndTakenAway() async throws {
        try await withSystem { root, authority, store in
            #expect(!store.trusts(authority))
            try await store.install(authority, from: "x")
            try await store.install(authority, from: "x")
            #expect(store.trusts(authority))
            let other = try LocalAuthority.loadOrMake(folder: root + "/other", owner: "me", now: Date())
            #expect(!store.trusts(other))
            try await store.install(other, from: "x")
            try await store.uninstall(authority)
            #expect(!store.trusts(authority))
            #expect(store.trusts(other))
            try await store.uninstall(authority)
        }
    }

    @Test func aProgramThatFailsIsTold() async throws {
        try await withSystem("exit 3") { _, authority, store in
            let problem = await #expect(throws: StoreProblem.self) { try await store.install(authority, from: "x") }
            #expect(problem?.description.hasSuffix("update-ca-certificates failed with status 3") == true)
        }
        try await withSystem("true") { _, authority, store in
            await #expect(throws: StoreProblem.self) { try await store.install(authority, from: "x") }
        }
    }
}
