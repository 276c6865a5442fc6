import API
import Foundation
import TestSupport
import Testing

/// `env metrics`, over the whole way.
@Suite struct MetricsTests {
    @Test func aBaselineAndItsOverlayAreMeasuredWhereTheyRun() async throws {
        try await Product.with { product in
            let base = try product.blueprint(Blueprints.chain(), named: "base.yaml")
            try await product.mustRun("baseline", "create", "--file", base, "--wait")
            let change = try product.blueprint(Blueprints.change("middle"), named: "feat.yaml")
            try await product.mustRun("overlay", "create", "--baseline", "base", "--file", change, "--wait")
            let url = try #require(try await product.environment("feat").endpoints.first?.url)
            for _ in 0..<3 { #expect(try await Answer.get(url).status == 200) }

            let overlay = try await product.json(MetricsView.self, "env", "metrics", "feat")
            #expect(overlay.services.map(\.name) == ["back", "front", "middle"])
            let middle = overlay.services[2]
            #expect(middle.provider?.kind == "local")
            #expect(middle.usage?.processes == 1)
            #expect(middle.usage?.cpuPercent != nil)
            #expect((3_000_000..<200_000_000).contains(middle.usage?.memoryBytes ?? 0))
            #expect(middle.requests?.total == 3)
            #expect(middle.requests?.answeredHere == 3)
            let back = overlay.services[0]
            #expect(back.usage == nil)
            #expect(back.provider?.environment == "base")
            #expect(back.requests?.byProvider == [RequestMetricsView.Provider(environment: "base", count: 3)])
            #expect(back.requests?.answeredHere == nil)
            #expect(overlay.requestsSince != nil)

            // The baseline's copies answered for the overlay; in its own context nobody asked.
            let baseline = try await product.json(MetricsView.self, "env", "metrics", "base", "--service", "back")
            #expect(baseline.services.map(\.name) == ["back"])
            #expect(baseline.services[0].requests?.total == 0)
            #expect(baseline.services[0].requests?.answeredHere == 3)

            let table = try await product.mustRun("env", "metrics", "base")
            #expect(table.hasPrefix("SERVICE  PROVIDER"))
            #expect(table.split(separator: "\n").count == 4)
            #expect(try await product.run("env", "metrics", "base", "--service", "nobody").exitCode == 1)
            let watched = try await product.run("env", "metrics", "base", "-w", "-o", "json", "--timeout", "3s")
            #expect(watched.stdout.split(separator: "\n").count == 2)

            // A stopped service uses nothing, and asking starts nothing.
            try await product.mustRun("env", "stop", "feat")
            let stopped = try await product.json(MetricsView.self, "env", "metrics", "feat", "--service", "middle")
            #expect(stopped.services[0].usage?.processes == 0)
            #expect(stopped.services[0].state == "stopped")
        }
    }
}
