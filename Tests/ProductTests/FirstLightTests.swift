import API
import Foundation
import TestSupport
import Testing

/// The product's main job, with the real binary and real processes.
@Suite struct FirstLightTests {
    @Test func anOverlayAnswersOnlyWhereItChangedSomething() async throws {
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Blueprints.chain()), "--wait")
            let overlay = try product.blueprint(Blueprints.change("back"), named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", overlay, "--wait")
            let base = try await product.environment("base")
            let feat = try await product.environment("feat")
            let url = try #require(base.endpoints.first?.url)

            let plain = try await Answer.get(url)
            #expect(try plain.answer.path == "front:v1 middle:v1 back:v1")
            #expect(plain.headers["x-msx-provider"] == "front@base#r1")

            let inContext = try await Answer.get(url, ["x-msx-env": "feat"]).answer
            #expect(inContext.path == "front:v1 middle:v1 back:v2")
            #expect(inContext.next?.value.nextProvider == "back@feat#r1")

            // Its own URL, its host name and the overlay's other carriers lead to the same copies.
            let own = try await Answer.get(try #require(feat.endpoints.first?.url)).answer
            #expect(own.path == "front:v1 middle:v1 back:v2")
            let hostURL = try #require(feat.endpoints.first?.hostUrl)
            #expect(try await Answer.get(hostURL).answer.path == "front:v1 middle:v1 back:v2")
            #expect(try await Answer.get(url, ["baggage": "a=b,msx-env=feat"]).answer.path == inContext.path)
            #expect(try await Answer.get(url, ["tracestate": "msx=feat"]).answer.path == inContext.path)

            let unknown = try await Answer.get(url, ["x-msx-env": "faet"])
            #expect(unknown.status == 404)
            #expect(unknown.headers["x-msx-error"] == "unknown_environment")

            #expect(feat.services.map(\.state) == ["ready", "inherited", "inherited"])
            let back = try #require(feat.services.first { $0.name == "back" })
            #expect(back.provider == ProviderView(kind: "local", environment: "feat", revision: 1))
        }
    }

    @Test func aCopyInAnOverlayCallsOnInItsContextWithoutAnyHeader() async throws {
        try await Product.with { product in
            // The changed service forwards nothing; the address that it was given says whose copy calls.
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Blueprints.chain()), "--wait")
            let text = """
                name: silent
                services:
                  - { name: middle, env: { FORWARD: "no", VERSION: v2 } }
                  - { name: back, env: { VERSION: v3 } }
                """
            let overlay = try product.blueprint(text, named: "silent.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", overlay, "--wait")
            let url = try #require(try await product.environment("base").endpoints.first?.url)
            let answer = try await Answer.get(url, ["x-msx-env": "silent"]).answer
            #expect(answer.path == "front:v1 middle:v2 back:v3")
            #expect(answer.next?.value.next?.value.context == "silent")
        }
    }

    @Test func overlaysStackAndATombstoneAnswers404() async throws {
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Blueprints.chain()), "--wait")
            let one = try product.blueprint(Blueprints.change("back", "one", version: "one"), named: "one.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", one, "--wait")
            let two = try product.blueprint(Blueprints.change("middle", "two", version: "two"), named: "two.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "one", "--file", two, "--wait")
            let url = try #require(try await product.environment("base").endpoints.first?.url)
            #expect(try await Answer.get(url, ["x-msx-env": "two"]).answer.path == "front:v1 middle:two back:one")
            #expect(try await Answer.get(url, ["x-msx-env": "one"]).answer.path == "front:v1 middle:v1 back:one")
            let list = try await product.json([EnvironmentView].self, "overlay", "list")
            #expect(list.map(\.name) == ["one", "two"])
            #expect(list.last?.parent?.name == "one")

            let refused = try await product.run("baseline", "delete", "base")
            #expect(refused.exitCode != 0)
            #expect(refused.stderr.contains("one"))
            // Everything that stands on it, in the order in which each can go.
            #expect(refused.stderr.contains("microstax overlay delete two one"))
        }
    }

    @Test func aDryRunSaysWhatWouldHappenAndDoesNothing() async throws {
        try await Product.with { product in
            let path = try product.blueprint(Blueprints.chain())
            let text = try await product.mustRun("baseline", "create", "--file", path, "--dry-run")
            #expect(text.contains("start front"))
            #expect(try await product.json([EnvironmentView].self, "env", "list").isEmpty)
            try await product.mustRun("baseline", "create", "--file", path, "--no-wait")
            let taken = try await product.run("baseline", "create", "--file", path, "--dry-run")
            #expect(taken.exitCode == 1)
            #expect(taken.stderr.contains("there is already an environment named base"))
        }
    }

    @Test func deletingLeavesNothing() async throws {
        try await Product.with { product in
            try await product.mustRun("baseline", "create", "--file", product.blueprint(Blueprints.chain()), "--wait")
            let url = try #require(try await product.environment("base").endpoints.first?.url)
            try await product.mustRun("env", "delete", "base")
            #expect(try await Answer.get(url).status == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: product.home + "/environments").isEmpty)
            let gone = try await product.run("env", "get", "base")
            #expect(gone.exitCode != 0)
        }
    }

    @Test func interruptingAWaitSaysHowToGoOnOrUndo() async throws {
        try await Product.with { product in
            let path = try product.blueprint(Blueprints.single("[sleep, \"600\"]"))
            // Python, because a shell without a terminal starts background jobs with SIGINT ignored.
            let script = """
                import os, signal, subprocess, sys, time
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                product, path = sys.argv[1:]
                waiting = subprocess.Popen([product, "env", "create", "--file", path, "--wait"])
                while subprocess.run([product, "env", "get", "solo"], capture_output=True).returncode != 0:
                    time.sleep(0.05)
                waiting.send_signal(signal.SIGINT)
                print("ended with", waiting.wait())
                """
            let outcome = try await Tool.run(
                "/usr/bin/python3", ["-c", script, Product.executable, path],
                environment: ProcessInfo.processInfo.environment.merging(product.variables) { $1 })
            #expect(String(decoding: outcome.stdout, as: UTF8.self).contains("ended with 130"))
            let said = String(decoding: outcome.stderr, as: UTF8.self)
            #expect(said.contains("microstax env wait solo"), "\(said)")
            #expect(said.contains("microstax env delete solo"), "\(said)")
            #expect(try await product.environment("solo").state == "provisioning")
        }
    }

    @Test func aRemovedTCPServiceIsNotReachedBehindTheOverlaysBack() async throws {
        try await Product.with { product in
            let text = """
                name: base
                services:
                  - name: api
                    command: [/usr/bin/python3, \(Product.services)/echo.py]
                    expose: true
                    ports: ["8080"]
                    env: { CACHE: "${services.cache.address}" }
                  - name: cache
                    command: [/usr/bin/python3, \(Product.services)/echo.py]
                    ports: [{ name: redis, protocol: tcp }]
                """
            try await product.mustRun("baseline", "create", "--file", product.blueprint(text), "--wait")
            let without = try product.blueprint(
                "name: without\nservices:\n  - { name: cache, remove: true }\n", named: "without.yaml")
            let arguments = ["overlay", "create", "--baseline", "base", "--file", without, "--wait"]
            let refused = try await product.run(arguments)
            #expect(refused.exitCode == 1)
            #expect(refused.stderr.contains("without.yaml:3:3: error: api reaches cache"), "\(refused)")
            #expect(refused.stderr.contains("[removed_service_needed]"), "\(refused)")
            // Who insists is told when it has no address.
            let outcome = try await product.run(arguments + ["--allow", "removed_service_needed"])
            #expect(outcome.exitCode == 1)
            #expect(outcome.stderr.contains("api needs the address of cache, which without removed"), "\(outcome)")

            // With another api it works, and its callers get that one.
            let other = try product.blueprint(
                "name: other\nservices:\n  - { name: cache, remove: true }\n  - { name: api, env: { CACHE: null, VERSION: v2 } }\n",
                named: "other.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", other, "--wait")
            let url = try #require(try await product.environment("base").endpoints.first?.url)
            #expect(try await Answer.get(url, ["x-msx-env": "other"]).answer.version == "v2")
        }
    }

    @Test func anOverlaysCopyOfAServiceWithAFixedPortGetsOneOfItsOwn() async throws {
        try await Product.with { product in
            let port = Int.random(in: 12000...19000)
            let text = """
                name: base
                services:
                  - name: api
                    command: [/usr/bin/python3, \(Product.services)/echo.py]
                    expose: true
                    ports: [{ name: http, hostPort: \(port) }]
                """
            try await product.mustRun("baseline", "create", "--file", product.blueprint(text), "--wait")
            let overlay = try product.blueprint(Blueprints.change("api"), named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", overlay, "--wait")
            #expect(try await Answer.get("http://127.0.0.1:\(port)/").answer.version == "v1")
            let url = try #require(try await product.environment("base").endpoints.first?.url)
            #expect(try await Answer.get(url, ["x-msx-env": "feat"]).answer.version == "v2")
        }
    }
}
