import Blueprints
import EnvironmentGraph
import Orchestration
import Runtimes
import Storage
import TestSupport
import Testing

@Suite struct InitialisingTests {
    private var database: ServiceSpec {
        ServiceSpec(
            name: "db", command: ["run"], ports: [PortSpec(name: "tcp", transport: .tcp)],
            env: ["POSTGRES_USER": "app", "POSTGRES_DB": "orders"],
            initialisers: [.sql(SQLInitSpec(script: "/src/orders.sql"))])
    }

    @Test func aScriptRunsInOneTransactionWithItsLedgerRow() async throws {
        try await Workbench.with { bench in
            bench.runtime.results([RuntimeCommandResult(exitCode: 0, output: "0\n")])
            let execution = try await bench.accept([database], files: ["/src/orders.sql": "CREATE TABLE t ();"])
            await bench.orchestrator.submit(execution)
            #expect(try await bench.ended(execution.id).state == .succeeded)
            #expect(bench.runtime.commands.count == 2)
            let ran = try #require(bench.runtime.commands.last)
            #expect(ran.input == "CREATE TABLE t ();")
            #expect(ran.command.contains("--single-transaction"))
            #expect(ran.command.contains("app"))
            #expect(ran.command.contains("orders"))
        }
    }

    @Test func aScriptThatTheLedgerKnowsIsNotRunAgain() async throws {
        try await Workbench.with { bench in
            bench.runtime.results([RuntimeCommandResult(exitCode: 0, output: "1\n")])
            let execution = try await bench.accept([database], files: ["/src/orders.sql": "CREATE TABLE t ();"])
            await bench.orchestrator.submit(execution)
            #expect(try await bench.ended(execution.id).state == .succeeded)
            #expect(bench.runtime.commands.count == 1)
        }
    }

    /// Found by `make kill`: the database was killed with its supervisor between the two.
    @Test func aConnectionThatIsLostIsTriedAgainAndTheLedgerIsAskedAgain() async throws {
        try await Workbench.with { bench in
            bench.runtime.results([
                RuntimeCommandResult(exitCode: 0, output: "0\n"),
                RuntimeCommandResult(exitCode: 2, output: "psql: error: connection to server failed\n"),
                RuntimeCommandResult(exitCode: 0, output: "1\n"),
            ])
            let execution = try await bench.accept([database], files: ["/src/orders.sql": "x"])
            await bench.orchestrator.submit(execution)
            let ended = try await bench.ended(execution.id)
            #expect(ended.state == .succeeded)
            #expect(ended.steps.first { $0.plan.key == "service/db/init/0" }?.attempt == 2)
            #expect(bench.runtime.commands.count == 3)
        }
    }

    @Test func anInitialiserWaitsForAServiceThatIsNotReadyAnyMore() async throws {
        try await Workbench.with { bench in
            let api = ServiceSpec(
                name: "api", command: ["run"], ports: [PortSpec(name: "http")], initialisers: [.command(["seed"])])
            bench.runtime.results([RuntimeCommandResult(exitCode: 0, output: "")])
            var execution = try await bench.accept([api])
            for index in execution.steps.indices {
                let waits = ["service/api/init/0", "routes/open"].contains(execution.steps[index].plan.key)
                if !waits { execution.steps[index].state = .succeeded }
            }
            execution.state = .running
            try await bench.store.write { [execution] in try $0.save(execution) }
            bench.runtime.set("api", of: execution.environment, .restarting, "exited with 1")
            try await bench.orchestrator.start()
            try await eventually("the wait for api") {
                let step = try await bench.execution(execution.id).steps.first { $0.plan.key == "service/api/init/0" }
                return step?.message == "exited with 1" ? true : nil
            }
            #expect(bench.runtime.commands.isEmpty)
            bench.runtime.set("api", of: execution.environment, .ready)
            #expect(try await bench.ended(execution.id).state == .succeeded)
            #expect(bench.runtime.commands.count == 1)
        }
    }

    @Test func aWrongStatementIsNamedWithFileAndLine() async throws {
        try await Workbench.with { bench in
            bench.runtime.results([
                RuntimeCommandResult(exitCode: 0, output: "0\n"),
                RuntimeCommandResult(
                    exitCode: 3, output: "psql:<stdin>:3: ERROR:  syntax error at or near \"CREAT\"\n"),
            ])
            let execution = try await bench.accept([database], files: ["/src/orders.sql": "x"])
            await bench.orchestrator.submit(execution)
            let ended = try await bench.ended(execution.id)
            #expect(
                ended.error == "initialise db: orders.sql: /src/orders.sql:3: ERROR:  syntax error at or near \"CREAT\""
            )
        }
    }

    @Test func aCommandThatFailsGivesItsLastLines() async throws {
        try await Workbench.with { bench in
            bench.runtime.results([RuntimeCommandResult(exitCode: 2, output: "one\ntwo\n")])
            let api = ServiceSpec(
                name: "api", command: ["run"], ports: [PortSpec(name: "http")],
                initialisers: [.command(["seed", "-x"])])
            let execution = try await bench.accept([api])
            await bench.orchestrator.submit(execution)
            #expect(
                try await bench.ended(execution.id).error
                    == "initialise api: seed: seed -x: exited with 2\n  one\n  two")
        }
    }
}
