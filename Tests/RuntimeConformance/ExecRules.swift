import Blueprints
import EnvironmentGraph
import Foundation
import Runtimes
import TestSupport

extension RuntimeConformance {
    static let execRules: [RuntimeRule] = [
        RuntimeRule("exec works in the service's environment, its streams apart") { stage in
            var workload = stage.shell("exec sleep 600")
            workload.env = ["GREETING": "hi"]
            workload.secretEnv = ["PASSWORD": "geheim"]
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            let session = try await stage.exec(
                "cat; echo $GREETING $PASSWORD $EXTRA; echo oh >&2; exit 7", ["EXTRA": "more"])
            try await session.write(Array("in\n".utf8))
            try await session.closeInput()
            let end = try await session.end()
            try expect(end.output, is: "in\nhi geheim more\n", "output")
            try expect(end.errors, is: "oh\n", "errors")
            try expect(end.exitCode, is: 7, "exit code")
            try expect(try await session.next() == nil, "something comes after the end")
        },
        RuntimeRule("exec runs beside a service that has ended") { stage in
            var workload = stage.shell("exit 0")
            workload.restart = .never
            try await stage.runtime.apply(workload)
            try await stage.reaches(.stopped)
            let session = try await stage.exec("kill -9 $$")
            try expect(try await session.end().exitCode, is: 137, "exit code")
        },
        RuntimeRule("what cannot be executed is refused by its reason") { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            try await stage.reaches(.ready)
            for (word, service, code) in [
                ("no-such-program", "main", RuntimeError.Code.programNotFound),
                ("/etc/passwd", "main", .programNotRunnable),
                ("sh", "nobody", .notFound),
            ] {
                do {
                    let session = try await stage.runtime.exec(ExecCommand([word]), in: service, of: stage.environment)
                    await session.cancel()
                    throw RuntimeRuleBroken(description: "\(word) in \(service) was run")
                } catch let error as RuntimeError {
                    try expect(error.code, is: code, "\(word) in \(service): \(error.message)")
                }
            }
        },
        RuntimeRule("exec with a terminal has its size, its signals and its end of input") { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            try await stage.reaches(.ready)
            let script =
                "stty size; trap 'stty size' WINCH; trap 'echo int; exit 9' INT; echo armed; while :; do sleep 0.02; done"
            let session = try await stage.exec(script, terminal: TerminalSize(columns: 101, rows: 33))
            var seen = try await session.read(until: "armed")
            try expect(seen.contains("33 101"), "size: \(seen)")
            try await session.resize(TerminalSize(columns: 55, rows: 44))
            seen = try await session.read(until: "44 55")
            try await session.write([3])
            let end = try await session.end()
            try expect(end.output.contains("int"), "Ctrl-C: \(end.output)")
            try expect(end.exitCode, is: 9, "exit code")
            let cat = try await stage.exec(
                "cat; test -t 0 && test -t 1 && test -t 2 && echo all", terminal: TerminalSize(columns: 80, rows: 24))
            try await cat.write(Array("half a line".utf8))
            try await cat.closeInput()
            let last = try await cat.end()
            try expect(last.output.hasSuffix("all\r\n") && last.exitCode == 0, "end of input: \(last)")
        },
        RuntimeRule("a cancelled exec ends with all that it started") { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            try await stage.reaches(.ready)
            let script = "trap '' TERM HUP; sleep 600 & (setsid sleep 600 &) ; echo $$; while :; do sleep 600; done"
            for terminal in [nil, TerminalSize(columns: 80, rows: 24)] {
                let session = try await stage.exec(script, terminal: terminal)
                let leader = try await session.read(until: "\n")
                try expect(Int32(leader.trimmingCharacters(in: .whitespacesAndNewlines)) != nil, "pid: \(leader)")
                await session.cancel()
                try await eventually("the end of what was started") {
                    try await stage.count("sleep 600") == 1 ? true : nil
                }
            }
        },
        RuntimeRule("output that nobody takes stays with the command") { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            try await stage.reaches(.ready)
            let session = try await stage.exec(
                "i=0; while :; do i=$((i+1)); echo $i >&2; echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done")
            guard case .some = try await session.next() else { throw RuntimeRuleBroken(description: "no output") }
            await session.cancel()
        },
        RuntimeRule("exec hands through what is large and any bytes") { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            try await stage.reaches(.ready)
            let session = try await stage.exec("cat")
            let block = (0..<(64 << 10)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            // Ended below, by the end of the input.
            let writer = Task {
                for _ in 0..<32 { try await session.write(block) }
                try await session.closeInput()
            }
            var count = 0
            var isSame = true
            while let output = try await session.next() {
                guard case .stdout(let bytes) = output else { continue }
                for (offset, byte) in bytes.enumerated() where offset % 997 == 0 {
                    isSame = isSame && byte == block[(count + offset) % block.count]
                }
                count += bytes.count
            }
            try await writer.value
            try expect(count, is: 32 * block.count, "bytes")
            try expect(isSame, "the bytes differ")
        },
    ]
}

extension RuntimeStage {
    func exec(
        _ script: String, _ extraEnv: [String: String] = [:], terminal: TerminalSize? = nil
    ) async throws -> any ExecSession {
        try await runtime.exec(
            ExecCommand(["/bin/sh", "-c", script], extraEnv: extraEnv, terminal: terminal), in: "main", of: environment)
    }

    /// How many processes of the environment's service have this in their command line, asked from within.
    func count(_ text: String) async throws -> Int {
        let script = """
            for f in /proc/[0-9]*; do
              if tr '\\0' '\\n' < $f/environ 2>/dev/null | grep -q "^MSX_ENV_ID=$MSX_ENV_ID$"; then tr '\\0' ' ' < $f/cmdline; echo; fi
            done 2>/dev/null
            """
        let result = try await runtime.run(RuntimeCommand(["/bin/sh", "-c", script]), in: "main", of: environment)
        return result.output.split(separator: "\n").count { $0.hasPrefix(text) }
    }
}

extension ExecSession {
    func end() async throws -> (output: String, errors: String, exitCode: Int32?) {
        var (output, errors): ([UInt8], [UInt8]) = ([], [])
        while let next = try await next() {
            switch next {
            case .stdout(let bytes): output += bytes
            case .stderr(let bytes): errors += bytes
            case .exited(let code):
                return (String(decoding: output, as: UTF8.self), String(decoding: errors, as: UTF8.self), code)
            }
        }
        return (String(decoding: output, as: UTF8.self), String(decoding: errors, as: UTF8.self), nil)
    }

    func read(until mark: String) async throws -> String {
        var output: [UInt8] = []
        while let next = try await next() {
            if case .stdout(let bytes) = next { output += bytes }
            let text = String(decoding: output, as: UTF8.self)
            if text.contains(mark) { return text }
        }
        throw RuntimeRuleBroken(description: "\(mark) never came: \(String(decoding: output, as: UTF8.self))")
    }
}
