import Foundation
import HTTPTransport
import TestSupport
import Testing

/// Beginning and end of a server.
@Suite struct ServerLifeTests {
    private static let get = HTTPRequest("GET", "/")
    private static let ok: HTTPServer.Handler = { _, _ in HTTPResponse(status: 200) }

    private static func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    private static func error(binding address: HTTPAddress) async -> HTTPServerError? {
        await #expect(throws: HTTPServerError.self) {
            try await withServer(on: address, handler: Self.ok) { _ in }
        }
    }

    @Test(arguments: [0o600, 0o666]) func theSocketFileHasItsModeAndIsRemovedAtTheEnd(mode: Int) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s"
            try await withServer(on: .unix(path: path), unixMode: UInt32(mode), handler: Self.ok) { _ in
                let found = try Self.mode(path)
                #expect(found == mode)
            }
            #expect(!FileManager.default.fileExists(atPath: path))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test func aSocketFileThatADeadServerLeftIsReplaced() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s"
            try RawListener.leaveStaleSocket(path)
            #expect(FileManager.default.fileExists(atPath: path))
            try await withServer(on: .unix(path: path), handler: Self.ok) { address in
                let response = try await HTTPClient(address).send(Self.get)
                #expect(response.status == 200)
            }
        }
    }

    @Test func aLiveServersSocketIsLeftAlone() async throws {
        try await withTemporaryFolder { folder in
            let address = HTTPAddress.unix(path: folder + "/s")
            try await withServer(on: address, handler: Self.ok) { _ in
                let error = await Self.error(binding: address)
                #expect(error?.code == .addressInUse)
                #expect(error?.message == "another server listens on \(folder)/s already")
                let response = try await HTTPClient(address).send(Self.get)
                #expect(response.status == 200)
            }
        }
    }

    @Test func ofServersThatStartAtOnceOneWins() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s"
            try RawListener.leaveStaleSocket(path)
            let listening = Shared(0)
            let refused = Shared(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        do {
                            try await HTTPServer(address: .unix(path: path), handler: Self.ok).run { _ in
                                listening.change { $0 += 1 }
                            }
                        } catch let error as HTTPServerError where error.code == .addressInUse {
                            refused.change { $0 += 1 }
                        }
                    }
                }
                try await eventually("seven refusals", lastSeen: { "\(refused.value)" }) {
                    refused.value == 7 ? true : nil
                }
                try await eventually("one that listens") { listening.value == 1 ? true : nil }
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    @Test func whatIsNotASocketIsNeverRemoved() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/s"
            try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
            #expect(await Self.error(binding: .unix(path: path))?.code == .notASocket)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
        }
    }

    @Test func pathsThatCannotBeBoundSayWhy() async throws {
        try await withTemporaryFolder { folder in
            let long = folder + "/" + String(repeating: "x", count: 120)
            let tooLong = await Self.error(binding: .unix(path: long))
            #expect(tooLong?.code == .pathTooLong)
            #expect(tooLong?.message.contains("between 1 and 107 are possible") == true)
            let missing = await Self.error(binding: .unix(path: folder + "/none/s"))
            #expect(missing?.code == .cannotBind)
            #expect(missing?.message.contains("\(folder)/none, the socket's folder: No such file") == true)
        }
    }

    @Test func aPortInUseIsNamed() async throws {
        try await withServer(handler: Self.ok) { address in
            guard case .tcp(_, let port) = address else { throw Unexpected(what: "\(address)") }
            let error = await Self.error(binding: address)
            #expect(error?.code == .addressInUse)
            #expect(error?.message.contains("127.0.0.1:\(port)") == true)
        }
    }
}
