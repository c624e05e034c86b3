using System.Text.Json.Nodes;
using Sentiric.EventStore.Proofs;
using Xunit;

namespace Sentiric.EventStore.Tests.Audit;

/// <summary>The proof of one stream, checked without the database.</summary>
public sealed class ProofTests(AuditedStore store) : IClassFixture<AuditedStore>
{
    [Fact]
    public async Task Every_stream_has_a_proof_that_stands_on_its_own()
    {
        foreach (var line in await store.Postgres.LinesAsync("select tenant_id, id from mt_streams"))
        {
            var (tenant, stream) = (line.Split(" | ")[0], line.Split(" | ")[1]);
            var proof = StreamProof.OfJson((await store.Trail.ProveAsync(tenant, stream)).ToJson());
            Assert.Empty(proof.Check([store.Key.Public]));
            Assert.Equal(stream.StartsWith("gone", StringComparison.Ordinal) ? 3 : 2, proof.Events.Count);
            Assert.Equal(0, proof.Pending);
        }
    }

    [Fact]
    public async Task Any_value_in_the_file_that_is_changed_breaks_the_proof()
    {
        var json = (await store.Trail.ProveAsync("acme", "call-0")).ToJson();
        var places = Places(JsonNode.Parse(json)!, []).ToList();
        Assert.True(places.Count > 40, $"Only {places.Count} values in the file: the walk misses some.");
        var harmless = new List<string>();
        foreach (var place in places)
        {
            var bent = JsonNode.Parse(json)!;
            Bend(bent, place);
            if (Breaks(bent.ToJsonString())) continue;
            harmless.Add(string.Join('.', place));
        }
        // A remark for the reader: events behind the checkpoint are not part of what is proven.
        Assert.Equal(["pending"], harmless);
    }

    [Fact]
    public async Task An_event_left_out_added_or_moved_breaks_the_proof()
    {
        var proof = await store.Trail.ProveAsync("ünlü", "call-2");
        Assert.NotEmpty((proof with { Events = [.. proof.Events.Skip(1)] }).Check([store.Key.Public]));
        Assert.NotEmpty((proof with { Events = [.. proof.Events.SkipLast(1)] }).Check([store.Key.Public]));
        Assert.NotEmpty((proof with { Events = [.. proof.Events.Reverse()] }).Check([store.Key.Public]));
        Assert.NotEmpty((proof with { Events = [.. proof.Events, proof.Events[0]] }).Check([store.Key.Public]));
        Assert.NotEmpty((proof with { Tenant = "acme" }).Check([store.Key.Public]));
    }

    [Fact]
    public async Task A_proof_cannot_vouch_for_its_own_key()
    {
        var proof = await store.Trail.ProveAsync("acme", "call-3");
        using var stranger = AuditKey.Create();
        Assert.NotEmpty(proof.Check([stranger.Public]));
        Assert.NotEmpty(proof.Check([]));
    }

    [Fact]
    public async Task A_stream_without_a_signature_has_no_proof()
    {
        await Assert.ThrowsAsync<StreamNotNotarisedException>(async () => await store.Trail.ProveAsync("acme", "nobody"));
    }

    [Fact]
    public async Task The_leaf_of_an_event_can_be_made_with_a_copy_and_a_hash()
    {
        // What docs/audit.md tells an auditor to do by hand, in SQL alone: the fields with their lengths, behind the tag.
        var byHand = await store.Postgres.LinesAsync("""
            select encode(sha256('\x00'::bytea || 'sentiric.audit.event.1'::bytea || '\x0a'::bytea
              || int4send(8) || int8send(seq_id)
              || int4send(octet_length(tenant_id)) || textsend(tenant_id) || int4send(octet_length(stream_id)) || textsend(stream_id)
              || int4send(8) || int8send(version) || int4send(16) || uuid_send(id)
              || int4send(octet_length(type)) || textsend(type) || int4send(8) || timestamptz_send(timestamp)
              || int4send(octet_length(data::text)) || textsend(data::text)
              || case when bdata is null then int4send(-1) else int4send(octet_length(bdata)) || bdata end
              || int4send(octet_length(mt_dotnet_type)) || textsend(mt_dotnet_type)
              || case when correlation_id is null then int4send(-1) else int4send(octet_length(correlation_id)) || textsend(correlation_id) end
              || case when causation_id is null then int4send(-1) else int4send(octet_length(causation_id)) || textsend(causation_id) end
              || case when headers is null then int4send(-1) else int4send(octet_length(headers::text)) || textsend(headers::text) end
              || case when user_name is null then int4send(-1) else int4send(octet_length(user_name)) || textsend(user_name) end), 'hex')
            from mt_events where tenant_id = 'acme' and stream_id = 'call-0' order by version
            """);
        var proof = await store.Trail.ProveAsync("acme", "call-0");
        Assert.Equal(byHand, proof.Events.Select(e => Convert.ToHexStringLower(e.LeafHash("acme", "call-0")!)));
    }

    [Fact]
    public async Task Words_beside_a_bare_leaf_a_name_twice_or_an_unknown_one_break_the_proof()
    {
        var proof = await store.Trail.ProveAsync("acme", "gone-0");
        Assert.Empty(proof.Check([store.Key.Public]));
        Assert.NotNull(proof.Events[0].Leaf);
        Assert.NotEmpty((proof with { Events = [proof.Events[0] with { Data = "{\"By\": 666}" }, .. proof.Events.Skip(1)] }).Check([store.Key.Public]));
        Assert.NotEmpty((proof with { Events = [proof.Events[0] with { UserName = "ayşe" }, .. proof.Events.Skip(1)] }).Check([store.Key.Public]));
        var json = proof.ToJson();
        Assert.Throws<System.Text.Json.JsonException>(() => StreamProof.OfJson(json.Replace("\"tenant\":", "\"tenant\": \"globex\", \"tenant\":", StringComparison.Ordinal)));
        Assert.Throws<System.Text.Json.JsonException>(() => StreamProof.OfJson(json.Replace("\"tenant\":", "\"Tenant\": \"globex\", \"tenant\":", StringComparison.Ordinal)));
    }

    private bool Breaks(string json)
    {
        try
        {
            return StreamProof.OfJson(json).Check([store.Key.Public]).Count > 0;
        }
        catch (System.Text.Json.JsonException)
        {
            return true;
        }
    }

    private static IEnumerable<string[]> Places(JsonNode? node, string[] here) => node switch
    {
        JsonObject fields => fields.SelectMany(f => Places(f.Value, [.. here, f.Key])),
        JsonArray items => items.SelectMany((item, i) => Places(item, [.. here, i.ToString()])),
        _ => [here],
    };

    private static void Bend(JsonNode root, string[] place)
    {
        var parent = root;
        foreach (var step in place[..^1]) parent = parent is JsonArray items ? items[int.Parse(step)]! : parent[step]!;
        var value = parent is JsonArray list ? list[int.Parse(place[^1])] : parent[place[^1]];
        JsonNode bent = value!.GetValueKind() == System.Text.Json.JsonValueKind.Number ? value.GetValue<long>() + 1 : Bend(value.GetValue<string>());
        if (parent is JsonArray array) array[int.Parse(place[^1])] = bent;
        else parent[place[^1]] = bent;
    }

    // One character that is not at the edge: in base 64 the last one may hold bits that mean nothing.
    private static string Bend(string text)
    {
        var at = text.Length / 2;
        return text.Length == 0 ? "x" : text.Remove(at, 1).Insert(at, text[at] == '1' ? "2" : "1");
    }
}
