import Blueprints
import EnvironmentGraph
import Foundation
import Runtimes
import TestSupport

extension RuntimeConformance {
    static let lifeRules: [RuntimeRule] = [
        RuntimeRule("an applied service runs and is seen") { stage in
            try await stage.runtime.apply(stage.shell("echo hello; exec sleep 600"))
            let status = try await stage.reaches(.ready)
            try expect(status.restarts, is: 0, "restarts")
            try await eventually("its output") { try await stage.output() == ["hello"] ? true : nil }
            try expect(try await stage.runtime.environments().contains(stage.environment), "it is not listed")
        },
        RuntimeRule("applying again changes nothing") { stage in
            let workload = stage.shell("exec sleep 600")
            try await stage.runtime.apply(workload)
            let first = try await stage.reaches(.ready)
            for _ in 0..<3 { try await stage.runtime.apply(workload) }
            try expect(try await stage.runtime.observe(stage.environment), is: [first], "status")
        },
        RuntimeRule("another generation replaces") { stage in
            try await stage.runtime.apply(stage.shell("echo one; exec sleep 600"))
            try await stage.reaches(.ready)
            try await stage.runtime.apply(stage.shell("echo two; exec sleep 600", generation: 2))
            try await stage.reaches(.ready, generation: 2)
            try expect(try await stage.runtime.observe(stage.environment).count, is: 1, "services")
            try await eventually("its output") { try await stage.output() == ["one", "two"] ? true : nil }
        },
        RuntimeRule("statuses are sorted by service") { stage in
            for name in ["b", "c", "a"] { try await stage.runtime.apply(stage.shell("exec sleep 600", service: name)) }
            let names = try await stage.runtime.observe(stage.environment).map(\.service)
            try expect(names, is: ["a", "b", "c"], "order")
        },
        RuntimeRule("stop ends a service, keeps its logs, and apply starts it again") { stage in
            let workload = stage.shell("echo run; exec sleep 600")
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            try await stage.runtime.stop("main", of: stage.environment)
            try expect(try await stage.runtime.observe(stage.environment).map(\.state), is: [.stopped], "state")
            try expect(try await stage.output(), is: ["run"], "log")
            try await stage.runtime.stop("main", of: stage.environment)
            try await stage.runtime.stop("nobody", of: stage.environment)
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
        },
        RuntimeRule("changes give what is, and then every last change") { stage in
            try await stage.runtime.apply(stage.shell("exec sleep 600"))
            var states: [WorkloadStatus.State] = []
            for try await statuses in stage.runtime.changes(of: stage.environment) {
                guard let state = statuses.first?.state else { continue }
                states.append(state)
                if state == .ready { try await stage.runtime.stop("main", of: stage.environment) }
                if state == .stopped { break }
            }
            try expect(states.suffix(2), is: [.ready, .stopped], "last states")
        },
        RuntimeRule("what runs is measured, and what does not run uses nothing") { stage in
            try await stage.runtime.apply(stage.shell("sleep 600 & sleep 600 & echo on; wait"))
            try await stage.runtime.apply(stage.shell("exec sleep 600", service: "b"))
            try await eventually("its output") { try await stage.output() == ["on"] ? true : nil }
            try await stage.reaches(.ready, service: "b")
            let found = try await stage.runtime.metrics(of: stage.environment, withRates: true)
            try expect(found.map(\.service), is: ["b", "main"], "services")
            try expect(found.map(\.processes), is: [1, 3], "processes")
            for metrics in found {
                try expect(metrics.memoryBytes > 0, "it is in memory")
                try expect(metrics.uptimeMilliseconds != nil, "it is up")
                try expect(metrics.cpuPercent != nil, "there is a rate")
                try expect(metrics.restarts, is: 0, "restarts")
            }
            try await stage.runtime.stop("main", of: stage.environment)
            let after = try await stage.runtime.metrics(of: stage.environment, withRates: false)
            try expect(after.map(\.processes), is: [1, 0], "processes after a stop")
            try expect(after.map(\.state), is: [.ready, .stopped], "states")
            try expect(after[1].memoryBytes, is: 0, "memory of what does not run")
        },
        RuntimeRule("a volume that is gone is told, and no empty one takes its place") { stage in
            var workload = stage.shell("exec sleep 600")
            workload.volumes = [Workload.Volume(name: "data", kind: .pvc, mountPath: "/data", mustExist: true)]
            let names = [VolumeName(service: "main", name: "data")]
            try await stage.runtime.apply(workload)
            let status = try await stage.reaches(.failed)
            try expect(status.message?.contains("gone") == true, "what it says: \(status.message ?? "")")
            let found = try await stage.runtime.irregularities(of: stage.environment, volumes: names)
            try expect(found.map(\.kind), is: [.volumeMissing], "what is told")
            try expect(found.map(\.service), is: ["main"], "of whom")
            workload.generation = 2
            workload.volumes[0].mustExist = false
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready, generation: 2)
            let after = try await stage.runtime.irregularities(of: stage.environment, volumes: names)
            try expect(after, is: [], "when it is made")
        },
        RuntimeRule("a volume outlives restarts and generations, an ephemeral one does not") { stage in
            let script = "ls $VOLUME_KEPT $VOLUME_SCRATCH; touch $VOLUME_KEPT/a $VOLUME_SCRATCH/b; exec sleep 600"
            for generation in 1...2 {
                var workload = stage.shell(script, generation: generation)
                workload.volumes = [
                    Workload.Volume(name: "kept", kind: .pvc, mountPath: "/kept"),
                    Workload.Volume(name: "scratch", kind: .ephemeral, mountPath: "/scratch"),
                ]
                try await stage.runtime.apply(workload)
                try await stage.reaches(.ready, generation: generation)
            }
            try await eventually("the second listing") {
                let lines = try await stage.output()
                return lines.contains("a") && !lines.contains("b") ? true : nil
            }
        },
        RuntimeRule("run works in the service's environment, with input") { stage in
            var workload = stage.shell("exec sleep 600")
            workload.env = ["GREETING": "hi"]
            workload.secretEnv = ["PASSWORD": "geheim"]
            try await stage.runtime.apply(workload)
            try await stage.reaches(.ready)
            let command = RuntimeCommand(
                ["/bin/sh", "-c", "cat; echo $GREETING $PASSWORD $EXTRA; exit 3"], input: "in\n",
                extraEnv: ["EXTRA": "more"])
            let result = try await stage.runtime.run(command, in: "main", of: stage.environment)
            try expect(result, is: RuntimeCommandResult(exitCode: 3, output: "in\nhi geheim more\n"), "result")
            let slow = RuntimeCommand(["/bin/sh", "-c", "echo begun; sleep 600"], timeoutSeconds: 0.3)
            let cut = try await stage.runtime.run(slow, in: "main", of: stage.environment)
            try expect(cut.timedOut && cut.output == "begun\n", "a command that runs too long is ended: \(cut)")
        },
        RuntimeRule("delete leaves nothing and can be repeated") { stage in
            try await stage.runtime.apply(stage.shell("echo there; exec sleep 600"))
            try await stage.reaches(.ready)
            try await stage.runtime.delete(stage.environment)
            try expect(try await stage.runtime.observe(stage.environment), is: [], "statuses")
            try expect(try await stage.lines(), is: [], "logs")
            try expect(!(try await stage.runtime.environments().contains(stage.environment)), "it is still listed")
            try await stage.runtime.delete(stage.environment)
        },
    ]
}
