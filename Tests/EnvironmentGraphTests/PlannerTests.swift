import Blueprints
import EnvironmentGraph
import Testing

@Suite struct PlannerTests {
    private func plan(_ spec: BlueprintSpec, over parent: BlueprintSpec? = nil) -> Plan {
        Planner.create(record(spec, over: parent))
    }

    private func record(_ spec: BlueprintSpec, over parent: BlueprintSpec? = nil) -> EnvironmentRecord {
        EnvironmentRecord(
            id: EnvironmentID(rawValue: "env-1"), name: spec.name, mode: parent == nil ? .baseline : .overlay,
            spec: spec,
            difference: Difference.between(request: spec, parent: parent), createdAt: 1)
    }

    @Test func anOverlayStartsOnlyWhatChanged() {
        let keys = plan(Samples.changing("payments"), over: Samples.shop).steps.map(\.key)
        #expect(keys == ["ports", "routes/publish", "service/payments/start", "service/payments/ready", "routes/open"])
    }

    @Test func everyStepStandsAfterWhatItNeeds() {
        for steps in [
            plan(Samples.shop).steps,
            Planner.delete(record(Samples.shop)).steps,
        ] {
            var seen: Set<String> = []
            for step in steps {
                #expect(step.needs.allSatisfy(seen.contains), "\(step.key) needs \(step.needs)")
                #expect(seen.insert(step.key).inserted, "\(step.key) stands twice")
                #expect(!step.reason.isEmpty)
            }
        }
    }

    @Test func dependentsWaitForInitialisers() throws {
        var shop = Samples.shop
        let index = try #require(shop.services.firstIndex { $0.name == "orders-db" })
        shop.services[index].initialisers = [.sql(SQLInitSpec(script: "/x/a.sql")), .command(["true"])]
        let steps = plan(shop).steps
        #expect(steps.first { $0.key == "service/orders/start" }?.needs.contains("service/orders-db/init/1") == true)
        #expect(steps.first { $0.key == "service/orders-db/init/1" }?.needs == ["service/orders-db/init/0"])
    }

    @Test func aDependencyThatOnlyHasToBeStartedIsNotAwaited() throws {
        var shop = Samples.shop
        let index = try #require(shop.services.firstIndex { $0.name == "orders" })
        shop.services[index].dependsOn = [DependencySpec(service: "orders-db", condition: .started)]
        let step = plan(shop).steps.first { $0.key == "service/orders/start" }
        #expect(step?.needs == ["routes/publish", "service/orders-db/start"])
    }

    @Test func planningTwiceIsPlanningOnceAndOrderDoesNotMatter() {
        var generator = SystemRandomNumberGenerator()
        let expected = plan(Samples.shop)
        for _ in 0..<20 {
            var shuffled = Samples.shop
            shuffled.services.shuffle(using: &generator)
            #expect(plan(BlueprintSpec(name: "shop", services: shuffled.services)) == expected)
        }
    }

    @Test func dependentsStopFirst() throws {
        let steps = Planner.delete(record(Samples.shop)).steps
        let stop = try #require(steps.first { $0.key == "service/orders-db/stop" })
        #expect(Set(stop.needs) == ["routes/close", "service/orders/stop", "service/reports/stop"])
        #expect(steps.last?.key == "ports/release")
    }

    @Test func anInitialiserThatAnUpdateAddsRunsAlthoughItsServiceGoesOn() throws {
        let index = try #require(Samples.shop.services.firstIndex { $0.name == "payments" })
        var old = Samples.shop
        old.services[index].initialisers = [.command(["one"])]
        var before = record(old)
        before.initialiserIsDone(0, of: "payments")
        var after = before
        after.spec.services[index].initialisers.append(.command(["two"]))
        let keys = Planner.update(from: before, to: after, reasons: [:], ensuresAll: false).steps.map(\.key)
        #expect(keys.contains("service/payments/init/1") && !keys.contains("service/payments/init/0"))
        #expect(!keys.contains("service/orders/start"))
        #expect(after.generation(of: "payments") == before.generation(of: "payments"))
    }

    @Test func whatMovesIntoItsFirstVolumeIsInitialisedAgain() throws {
        let index = try #require(Samples.shop.services.firstIndex { $0.name == "orders-db" })
        var before = record(Samples.shop)
        before.volumesAreMade()
        var after = before
        after.spec.services[index].volumes = [VolumeSpec(name: "data", mountPath: "/data")]
        #expect(after.movingIntoNewVolumes(from: before) == ["orders-db"])
        after.volumesAreMade()
        var more = after
        more.spec.services[index].volumes.append(VolumeSpec(name: "wal", mountPath: "/wal"))
        #expect(more.movingIntoNewVolumes(from: after).isEmpty)
        // Without its volume for a while, it comes back to what is there still.
        var without = after
        without.spec.services[index].volumes = []
        without.volumesAreMade()
        #expect(after.movingIntoNewVolumes(from: without).isEmpty)
    }
}
