import Blueprints
import EnvironmentGraph
import Foundation
import Runtimes
import TestSupport

extension RuntimeConformance {
    static let failureRules: [RuntimeRule] = [
        RuntimeRule("a service that exits at once fails soon, with its last lines") { stage in
            try await stage.runtime.apply(stage.shell("echo first; echo boom >&2; exit 3"))
            let status = try await stage.reaches(.failed)
            try expect(status.exitCode, is: 3, "exit code")
            try expect(status.message?.contains("exited with 3") == true, "message: \(status.message ?? "")")
            try expect(status.lastOutput.sorted(), is: ["boom", "first"], "last output")
        },
        RuntimeRule("a program that is not there fails at once, naming it") { stage in
            var workload = stage.shell("")
            workload.command = ["no-such-program-anywhere"]
            try await stage.runtime.apply(workload)
            let status = try await stage.reaches(.failed)
            try expect(status.message?.contains("no-such-program-anywhere") == true, "message: \(status.message ?? "")")
            try expect(status.restarts, is: 0, "restarts")
        },
        RuntimeRule("a build that fails is the end, with its output") { stage in
            var workload = stage.shell("exec sleep 600")
            workload.build = ["/bin/sh", "-c", "echo cannot compile; exit 2"]
            try await stage.runtime.apply(workload)
            let status = try await stage.reaches(.failed)
            try expect(status.message?.contains("build exited with 2") == true, "message: \(status.message ?? "")")
            try expect(status.lastOutput, is: ["cannot compile"], "last output")
        },
        RuntimeRule("policies decide about a second start") { stage in
            for (name, policy, code) in [
                ("done", RestartPolicy.never, 0), ("broken", .never, 4), ("success", .onFailure, 0),
            ] {
                var workload = stage.shell("exit \(code)", service: name)
                workload.restart = policy
                try await stage.runtime.apply(workload)
            }
            try await stage.reaches(.stopped, service: "done")
            try await stage.reaches(.stopped, service: "success")
            let broken = try await stage.reaches(.failed, service: "broken")
            try expect(broken.exitCode, is: 4, "exit code")
            try expect(broken.restarts, is: 0, "restarts")
        },
        RuntimeRule("a readiness probe that never passes ends with its last answer") { stage in
            var workload = stage.shell("exec sleep 600")
            workload.probes.readiness = ProbeSpec(
                .exec(command: ["/bin/sh", "-c", "echo not yet; exit 7"]), periodSeconds: 0.4, failureThreshold: 5)
            try await stage.runtime.apply(workload)
            let status = try await stage.reaches(.failed)
            try expect(
                status.message?.contains("exec exited with 7: not yet") == true, "message: \(status.message ?? "")")
            try expect(status.pid == nil, "it still runs")
        },
        RuntimeRule("a liveness probe that fails restarts, counted") { stage in
            var workload = stage.shell("exec sleep 600")
            workload.probes.readiness = ProbeSpec(.exec(command: ["/bin/true"]), periodSeconds: 0.05)
            workload.probes.liveness = ProbeSpec(
                .exec(command: ["/bin/false"]), periodSeconds: 0.05, failureThreshold: 2)
            try await stage.runtime.apply(workload)
            try await eventually("a restart") {
                try await stage.runtime.observe(stage.environment).contains { $0.restarts > 0 } ? true : nil
            }
        },
        RuntimeRule("an unknown user is refused by name") { stage in
            var workload = stage.shell("exec sleep 600")
            workload.user = "no-such-user"
            do {
                try await stage.runtime.apply(workload)
                throw RuntimeRuleBroken(description: "it was accepted")
            } catch let error as RuntimeError {
                try expect(error.code, is: .invalidWorkload, "code")
                try expect(error.message.contains("no-such-user"), "message: \(error.message)")
            }
        },
        RuntimeRule("a service that ignores the stop signal is killed after its grace") { stage in
            var workload = stage.shell("trap '' TERM; echo armed; while :; do sleep 0.05; done")
            workload.probes.readiness = ProbeSpec(.log(pattern: "^armed$"))
            workload.stopGraceSeconds = 0.3
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            let start = ContinuousClock.now
            try await stage.runtime.stop("main", of: stage.environment)
            try expect(ContinuousClock.now - start >= .milliseconds(300), "the grace was not kept")
            let status = try await stage.runtime.observe(stage.environment).first
            try expect(status?.exitCode, is: 137, "exit code")
        },
        RuntimeRule("a service gets its stop signal and its time to end") { stage in
            var workload = stage.shell("trap 'echo bye; exit 0' USR1; echo armed; while :; do sleep 0.02; done")
            workload.probes.readiness = ProbeSpec(.log(pattern: "armed"))
            workload.stopSignal = "SIGUSR1"
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            try await stage.runtime.stop("main", of: stage.environment)
            try expect(try await stage.output(), is: ["armed", "bye"], "output")
        },
    ]
}
