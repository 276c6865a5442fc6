import API
import APIClient
import Foundation
import HTTPTransport
import TestSupport
import Testing

@Suite struct ServerLocationTests {
    @Test(arguments: [
        ("http://127.0.0.1:8080", HTTPAddress.tcp(host: "127.0.0.1", port: 8080)),
        ("http://team.example/", .tcp(host: "team.example", port: 80)),
        ("HTTP://[::1]:99", .tcp(host: "::1", port: 99)),
    ])
    func aURLNamesARemoteServer(url: String, address: HTTPAddress) throws {
        let location = try ServerLocation(environment: ["MICROSTAX_API_URL": url, "MICROSTAX_API_KEY": "msx_1"])
        #expect(location == .remote(address, token: "msx_1"))
    }

    @Test(arguments: [
        "ftp://x", "127.0.0.1:80", "http://", "http://x:0", "http://x:99999", "http://x/v1", "http://u@x", "https://x",
        "http://:80",
    ])
    func anotherURLIsRefused(url: String) {
        #expect(throws: LocationProblem.self) { try ServerLocation(environment: ["MICROSTAX_API_URL": url]) }
    }

    @Test func theStateFolderHasItsOrder() throws {
        func path(_ environment: [String: String]) throws -> String { try StateFolder(environment: environment).path }
        #expect(try path(["MICROSTAX_HOME": "/m", "XDG_STATE_HOME": "/x", "HOME": "/h"]) == "/m")
        if geteuid() == 0 {
            // Root's home is closed to the users that services may run as.
            #expect(try path(["MICROSTAX_HOME": "", "XDG_STATE_HOME": "/x", "HOME": "/h"]) == "/var/lib/microstax")
        } else {
            #expect(try path(["MICROSTAX_HOME": "", "XDG_STATE_HOME": "/x", "HOME": "/h"]) == "/x/microstax")
            #expect(try path(["HOME": "/h"]) == "/h/.local/state/microstax")
            #expect(throws: LocationProblem.self) { try path([:]) }
        }
    }

    @Test func theAnnouncedSocketIsPreferred() async throws {
        try await withTemporaryFolder { folder in
            let state = StateFolder(path: folder)
            #expect(state.socketPath == folder + "/server.sock")
            #expect(!state.answers)
            let text = #"{"pid": 1, "startTime": 5, "socket": "/tmp/elsewhere.sock", "version": "0.1.0"}"#
            try Data(text.utf8).write(to: URL(filePath: folder + "/server.json"))
            #expect(state.socketPath == "/tmp/elsewhere.sock")
            try Data("{broken".utf8).write(to: URL(filePath: folder + "/server.json"))
            #expect(state.socketPath == folder + "/server.sock")
        }
    }

    @Test func aServerThatCannotStartIsReportedInItsOwnWords() async throws {
        try await withTemporaryFolder { folder in
            let program = folder + "/fails"
            try writeProgram("#!/bin/sh\necho \"error: no $1 $2 today\" >&2\nexit 3\n", to: program)
            let server = LocalServer(folder: StateFolder(path: folder + "/state"), executable: program)
            let failure = #expect(throws: ConnectionFailure.self) { try server.ensureRunning() }
            #expect(failure?.kind == .cannotStart)
            #expect(failure?.message == "error: no serve --detach today")
        }
    }

    @Test func aMissingProgramIsReported() async throws {
        try await withTemporaryFolder { folder in
            let server = LocalServer(folder: StateFolder(path: folder), executable: folder + "/none")
            let failure = #expect(throws: ConnectionFailure.self) { try server.ensureRunning() }
            #expect(failure?.kind == .cannotStart)
        }
    }

    @Test func twoCommandsAtOnceStartOneServer() async throws {
        try await withTemporaryFolder { folder in
            let state = folder + "/state"
            let program = folder + "/serve"
            // Says that it was started, and returns when somebody answers, as the real one does.
            let script = """
                #!/bin/sh
                echo started >> \(folder)/starts
                until [ -e \(folder)/answers ]; do sleep 0.01; done
                """
            try writeProgram(script, to: program)
            let server = LocalServer(folder: StateFolder(path: state), executable: program)
            async let first: Void = Self.ensureRunning(server)
            async let second: Void = Self.ensureRunning(server)
            try await eventually("the start") { FileManager.default.contents(atPath: folder + "/starts") }
            let (bothReturned, returned) = AsyncStream.makeStream(of: Void.self)
            async let listening: Void = FakeServer.run(
                at: .unix(path: state + "/server.sock"), { _ in .text("") },
                { _ in
                    try await eventually("an answer") { StateFolder(path: state).answers ? true : nil }
                    try Data().write(to: URL(filePath: folder + "/answers"))
                    for await _ in bothReturned {}
                })
            try await first
            try await second
            returned.finish()
            try await listening
            let starts = String(decoding: try Data(contentsOf: URL(filePath: folder + "/starts")), as: UTF8.self)
            #expect(starts == "started\n")
        }
    }

    /// Blocks, so it runs on a thread of its own.
    private static func ensureRunning(_ server: LocalServer) async throws {
        try await withCheckedThrowingContinuation { done in
            Thread.detachNewThread { done.resume(with: Result { try server.ensureRunning() }) }
        }
    }

    /// More servers than Swift has threads are slow to start, each until it is told to go on from here.
    @Test(.timeLimit(.minutes(5))) func startingAServerHoldsUpNothingElse() async throws {
        try await withTemporaryFolder { folder in
            let numbers = 0..<(ProcessInfo.processInfo.activeProcessorCount + 2)
            for number in numbers {
                try #require(mkfifo("\(folder)/fifo\(number)", 0o600) == 0)
                let script = "#!/bin/sh\nread line < \(folder)/fifo\(number)\nexit 3\n"
                try writeProgram(script, to: "\(folder)/serve\(number)")
            }
            await withTaskGroup(of: Void.self) { group in
                for number in numbers {
                    let server = LocalServer(
                        folder: StateFolder(path: "\(folder)/state\(number)"), executable: "\(folder)/serve\(number)")
                    group.addTask { await #expect(throws: ConnectionFailure.self) { try await server.revive() } }
                }
                for number in numbers {
                    group.addTask {
                        await #expect(throws: Never.self) {
                            try await eventually("server \(number) waiting") {
                                let writer = open("\(folder)/fifo\(number)", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
                                guard writer >= 0 else { return nil as Bool? }
                                close(writer)
                                return true
                            }
                        }
                    }
                }
            }
        }
    }

    @Test func aRunningServerIsNotStartedAgain() async throws {
        try await withTemporaryFolder { folder in
            let socket = folder + "/server.sock"
            try await FakeServer.run(at: .unix(path: socket), { _ in .json(HealthView.sample) }) { _ in
                try LocalServer(folder: StateFolder(path: folder), executable: "/bin/false").ensureRunning()
                let health = try await APIClient(local: StateFolder(path: folder)).health()
                #expect(health.pid == 7)
            }
        }
    }
}
