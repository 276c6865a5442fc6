import Foundation
import Storage
import TestSupport
import Testing

@testable import ControlPlane

@Suite struct SecretBoxTests {
    @Test func whatIsSealedIsUnreadableAndBoundToItsPlace() async throws {
        try await withTemporaryFolder { folder in
            let box = try SecretBox(keyFile: folder + "/key")
            let sealed = try box.seal("hunter2", for: "env/api/password")
            #expect(Data(sealed).range(of: Data("hunter2".utf8)) == nil)
            #expect(try box.open(sealed, for: "env/api/password") == "hunter2")
            #expect(throws: StoreError.self) { try box.open(sealed, for: "env/web/password") }
            var changed = sealed
            changed[changed.count - 1] ^= 1
            #expect(throws: StoreError.self) { try box.open(changed, for: "env/api/password") }
        }
    }

    @Test func theKeyIsKeptForItsOwnerAlone() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/key"
            let sealed = try SecretBox(keyFile: path).seal("x", for: "p")
            #expect(try SecretBox(keyFile: path).open(sealed, for: "p") == "x")
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test func aKeyFileOfTheWrongSizeIsRefusedAndLeftAlone() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/key"
            try Data("short".utf8).write(to: URL(filePath: path))
            #expect(throws: StoreError.self) { try SecretBox(keyFile: path) }
            #expect(try Data(contentsOf: URL(filePath: path)) == Data("short".utf8))
        }
    }
}
