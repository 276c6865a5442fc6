import API
import Foundation
import TestSupport
import Testing

/// What a part lost, or could not do for a while, is made good as soon as it can be.
@Suite struct RecoveryTests {
    private func create(_ product: Product, more: String = "    expose: true") async throws -> String {
        let echo = "[/usr/bin/python3, \(Product.services)/echo.py]"
        let path = try product.blueprint(Blueprints.single(echo, more: more))
        try await product.mustRun("env", "create", "--file", path, "--wait")
        return try await product.environment("solo").endpoints.first?.url ?? ""
    }

    private func answers(_ url: String) async throws {
        try await eventually("an answer of \(url)") { try await Answer.get(url).status == 200 ? true : nil }
    }

    @Test func aGatewayThatLostItsTableIsGivenItAgain() async throws {
        try await Product.with { product in
            let url = try await create(product)
            try Data("no table".utf8).write(to: URL(filePath: product.home + "/gateway/table.json"))
            kill(try product.gatewayPID(), SIGKILL)
            try await answers(url)
        }
    }

    @Test func aClockThatWasSetBackStopsNothing() async throws {
        try await Product.with { product in
            let url = try await create(product)
            kill(try product.serverPID(), SIGKILL)
            // As if the last server's clock had been an hour ahead.
            let script = """
                import json, sys
                table = json.load(open(sys.argv[1])); table["version"] += 3600000
                json.dump(table, open(sys.argv[2], "w"))
                """
            let file = try product.blueprint(script, named: "ahead.py")
            let ahead = product.folder + "/ahead.json"
            _ = try await Tool.run("/usr/bin/python3", [file, product.home + "/gateway/table.json", ahead])
            _ = try await Tool.run(
                "/usr/bin/env",
                [
                    "curl", "-s", "--unix-socket", product.home + "/gateway/gateway.sock", "-X", "PUT",
                    "--data-binary", "@" + ahead, "http://x/table",
                ])
            try await product.mustRun("env", "delete", "solo")
            #expect(try await Answer.get(url).status == 0)
            try await answers(try await create(product))
        }
    }

    @Test func aGatewayWhoseRecordIsLostIsFoundAgain() async throws {
        try await Product.with { product in
            let url = try await create(product)
            let pid = try product.gatewayPID()
            kill(try product.serverPID(), SIGKILL)
            try FileManager.default.removeItem(atPath: product.home + "/gateway/process.json")
            try await product.mustRun("env", "list")
            #expect(try product.gatewayPID() == pid)
            try await answers(url)
        }
    }

    @Test func aSupervisorThatHangsKeepsNobodyElseWaiting() async throws {
        try await Product.with { product in
            _ = try await create(product)
            let supervisor = try #require(product.supervisors().first)
            kill(supervisor, SIGSTOP)
            kill(try product.serverPID(), SIGKILL)
            let began = ContinuousClock.now
            try await product.mustRun("env", "list")
            let took = ContinuousClock.now - began
            kill(supervisor, SIGCONT)
            #expect(took < .seconds(10))
        }
    }

    @Test func aDeletionThatTheDiskInterruptedGoesOnByItself() async throws {
        try await Product.with { product in
            // It ends, when asked to, as soon as the gate is open.
            let gate = product.folder + "/gate"
            let ending = "while [ ! -e \(gate) ]; do sleep 0.05; done; exit 0"
            let path = try product.blueprint(
                Blueprints.single(
                    "[sh, -c, 'trap \"\(ending)\" TERM; while :; do sleep 0.1; done']", more: "    stopGraceSeconds: 60"
                ))
            // It has a port and listens nowhere, so it is never ready: deleted while it is being created.
            try await product.mustRun("env", "create", "--file", path, "--no-wait")
            try await eventually("the start") {
                try await product.environment("solo").services.first?.state == "starting" ? true : nil
            }
            try await product.mustRun("env", "delete", "solo", "--no-wait")
            let server = String(try product.serverPID())
            _ = try await Tool.run("/usr/bin/env", ["prlimit", "--pid", server, "--fsize=1000:unlimited"])
            try Data().write(to: URL(filePath: gate))
            try await eventually("a failed write in the log") {
                let log = FileManager.default.contents(atPath: product.home + "/server.log") ?? Data()
                return log.range(of: Data("execution interrupted".utf8)) != nil ? true : nil
            }
            _ = try await Tool.run("/usr/bin/env", ["prlimit", "--pid", server, "--fsize=unlimited:unlimited"])
            try await eventually("the end of the deletion") {
                try await product.run("env", "get", "solo").exitCode != 0 ? true : nil
            }
        }
    }

    @Test func aSupervisorKilledDuringACreateHangsNobody() async throws {
        try await Product.with { product in
            let gate = product.folder + "/gate"
            let wait = "while [ ! -e \(gate) ]; do sleep 0.05; done; exec /usr/bin/python3 \(Product.services)/echo.py"
            let path = try product.blueprint(
                Blueprints.single(
                    "[sh, -c, '\(wait)']", more: "    secrets: [{ name: token, envKey: TOKEN, value: auto-generated }]")
            )
            try await product.mustRun("env", "create", "--file", path, "--no-wait")
            try await eventually("the start") {
                try await product.environment("solo").services.first?.state == "starting" ? true : nil
            }
            kill(try #require(product.supervisors().first), SIGKILL)
            try Data().write(to: URL(filePath: gate))
            try await product.mustRun("env", "wait", "solo")
        }
    }

    @Test func aStateFolderThatOthersCanWriteToIsRefusedAndLeftAsItIs() async throws {
        try await Product.with { product in
            let shared = product.folder + "/shared"
            try FileManager.default.createDirectory(atPath: shared, withIntermediateDirectories: true)
            chmod(shared, 0o777)
            let outcome = try await product.run(["env", "list"], environment: ["MICROSTAX_HOME": shared])
            #expect(outcome.exitCode == 69)
            #expect(outcome.stderr.contains("others can write to it"), "\(outcome)")
            let mode = try FileManager.default.attributesOfItem(atPath: shared)[.posixPermissions] as? Int
            #expect(mode == 0o777)
        }
    }
}
