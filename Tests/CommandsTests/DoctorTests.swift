import API
import Foundation
import TestSupport
import Testing

@testable import Commands

@Suite struct DoctorTests {
    private func check(_ name: String, _ checks: [DoctorCheck]) -> DoctorCheck? { checks.first { $0.name == name } }

    @Test func aServerOfAnotherVersionIsAWarning() {
        var health = HealthView.sample
        #expect(ServerChecks.judge(health, isLocal: true).map(\.state) == [.ok, .ok, .ok])
        health.version = "0.0.1"
        health.gateway = "away"
        let checks = ServerChecks.judge(health, isLocal: true)
        #expect(checks[0].state == .warning)
        #expect(checks[0].mend?.contains("microstax serve --stop") == true)
        #expect(checks[1].state == .missing)
    }

    @Test func aProgramThatIsMissingHasItsCommand() async throws {
        try await withTemporaryFolder { folder in
            let program = folder + "/psql"
            try Data().write(to: URL(filePath: program))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
            let checks = ProgramChecks.run(path: folder)
            #expect(check("psql", checks)?.detail == program)
            let redis = check("redis-server", checks)
            #expect(redis?.state == .missing)
            #expect(redis?.mend == (geteuid() == 0 ? "" : "sudo ") + "apt-get install -y redis-server")
        }
    }

    @Test(arguments: ["/etc/passwd/state", "/proc/nowhere/state"])
    func aStateFolderThatCannotBeMadeIsRequired(path: String) {
        let check = MachineChecks.stateFolder(path)
        #expect(check.state == .missing)
        #expect(check.isRequired)
        #expect(check.mend != nil)
    }

    @Test func theCommandWorksWithoutAServerAndStartsNone() async throws {
        try await withTemporaryFolder { folder in
            let state = folder + "/state"
            let run = await CommandRun.run(["doctor", "-o", "json"], environment: ["MICROSTAX_HOME": state])
            let checks = try JSONDecoder().decode([DoctorCheck].self, from: Data(run.output.utf8))
            #expect(check("server", checks)?.detail.contains("does not run") == true)
            #expect(!FileManager.default.fileExists(atPath: state))
            let isMissing = checks.contains { $0.isRequired && $0.state == .missing }
            #expect(run.status == (isMissing ? 2 : 0))
        }
    }
}
