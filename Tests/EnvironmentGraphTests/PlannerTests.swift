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

    @Test func whatIsInitialisedIsKnownByWhereTheDataIs() throws {
        let index = try #require(Samples.shop.services.firstIndex { $0.name == "orders-db" })
        func kept(_ volumes: String..., in record: EnvironmentRecord) -> EnvironmentRecord {
            var record = record
            record.spec.services[index].volumes = volumes.map { VolumeSpec(name: $0, mountPath: "/" + $0) }
            return record
        }
        var plain = record(Samples.shop)
        plain.initialiserIsDone(0, of: "orders-db")
        var moved = kept("data", in: plain)
        #expect(moved.initialisersDone(of: "orders-db") == 0)
        moved.initialiserIsDone(1, of: "orders-db")
        moved.volumesAreMade()
        #expect(moved.initialisersDone(of: "orders-db") == 2)
        #expect(kept("data", "wal", in: moved).initialisersDone(of: "orders-db") == 2)
        #expect(kept("other", in: moved).initialisersDone(of: "orders-db") == 0)
        // Back to where it was, and back again.
        #expect(kept(in: moved).initialisersDone(of: "orders-db") == 1)
        #expect(kept("data", in: kept(in: moved)).initialisersDone(of: "orders-db") == 2)
        // One of two volumes is lost: what the other keeps is initialised still.
        var both = kept("data", "wal", in: moved)
        both.initialiserIsDone(1, of: "orders-db")
        both.volumesAreMade()
        both.beginAnew(["orders-db/wal"])
        #expect(both.initialisersDone(of: "orders-db") == 2)
        #expect(both.madeVolumes.map(\.volume) == ["data"])
        both.beginAnew(["orders-db/data"])
        #expect(both.initialisersDone(of: "orders-db") == 0)
    }
}
