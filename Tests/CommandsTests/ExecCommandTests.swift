import API
import APIClient
import HTTPTransport
import Testing

@testable import Commands

/// `env exec` against a server that plays the other side of the protocol.
@Suite(.timeLimit(.minutes(5))) struct ExecCommandTests {
    /// Answers as `play` does, after the first message.
    private static func run(
        _ arguments: [String],
        _ play: @escaping @Sendable (ExecStart, WebSocket) async throws -> Void
    ) async throws -> CommandRun {
        try await FakeServer.run { request in
            guard request.target == "/v1/environments/shop/exec?service=api" else {
                return .refusal(.notFound, "no such path: \(request.target)")
            }
            return .webSocket(
                WebSocketUpgrade(subprotocol: ExecMessage.subprotocol) { socket in
                    do {
                        guard let first = try await socket.receive(), case .start(let start) = try ExecMessage(first)
                        else { return }
                        try await play(start, socket)
                    } catch {
                        // The command's outcome tells.
                    }
                })
        } _: { address in
            await CommandRun.run(
                ["env", "exec", "shop", "api"] + arguments, environment: ["MICROSTAX_API_URL": address.url])
        }
    }

    private static func send(_ message: ExecMessage, _ socket: WebSocket) async throws {
        try await socket.send(message.message)
    }

    @Test func outputAndExitCodeArePassedOn() async throws {
        let run = try await Self.run(["--no-stdin", "-e", "A=b=c", "--", "sh", "-c", "x", "--", "-y"]) {
            start, socket in
            try await Self.send(.started, socket)
            let text = "\(start.command) \(start.env ?? [:]) \(start.terminal == nil)\n"
            try await Self.send(.output(Array(text.utf8)), socket)
            try await Self.send(.errors(Array("oh\n".utf8)), socket)
            try await Self.send(.exitCode(137), socket)
        }
        #expect(run.output == #"["sh", "-c", "x", "--", "-y"] ["A": "b=c"] true"# + "\n")
        #expect(run.errors == "oh\n")
        #expect(run.status == 137)
    }

    @Test func aProgramThatIsNotThereIs127() async throws {
        let run = try await Self.run(["--no-stdin", "--", "nope"]) { _, socket in
            let failure = ExecFailure(code: "program_not_found", message: "no such program: `nope`", exitCode: 127)
            try await Self.send(.failed(failure), socket)
        }
        #expect(run.status == 127)
        #expect(run.errors == "error: no such program: `nope`\n")
    }

    @Test func anErrorHasItsUsualExitCode() async throws {
        let run = try await Self.run(["--no-stdin", "--", "x"]) { _, socket in
            try await Self.send(.started, socket)
            let failure = ExecFailure(code: "unavailable", message: "too many", hint: "wait")
            try await Self.send(.failed(failure), socket)
        }
        #expect(run.status == CommandStatus.tryAgain.rawValue)
        #expect(run.errors == "error: too many\nhint: wait\n")
    }

    @Test func aConnectionThatEndsTooSoonIsSaid() async throws {
        let run = try await Self.run(["--no-stdin", "--", "x"]) { _, socket in
            try await Self.send(.started, socket)
        }
        #expect(run.status == CommandStatus.unreachable.rawValue)
        #expect(run.errors.contains("the command was ended with it"))
    }

    @Test(arguments: [
        ["--tty", "--no-tty", "--", "x"], ["--stdin", "--no-stdin", "--", "x"], ["-e", "A", "--", "x"], [], ["--"],
    ]) func whatCannotBeIsUsage(_ arguments: [String]) async throws {
        let run = await CommandRun.run(["env", "exec", "shop", "api"] + arguments)
        #expect(run.status == CommandStatus.usage.rawValue)
    }
}
