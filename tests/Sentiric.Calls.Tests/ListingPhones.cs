using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Sentiric.Calls.Registration;
using Sentiric.Calls.Tests.Kit;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Services;
using Sentiric.Sip;
using Sentiric.Testing;

namespace Sentiric.Calls.Tests;

/// <summary>Which telephones of a tenant are registered, and throwing one out.</summary>
public sealed class ListingPhones : IExtensions, IAsyncLifetime
{
    private const string Realm = "sentiric", OurHost = "192.0.2.1", Tenant = Neighbours.Tenant;
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly ManualTime _clock = new();
    private readonly JournalRecorder _journal = new();
    private readonly Neighbours _neighbours = new();
    private readonly MemoryLocationStore _locations = new();
    private readonly List<Extension> _extensions = [];
    private FactWriter _facts = null!;
    private PhoneList _list = null!;

    public Task InitializeAsync()
    {
        _facts = new FactWriter(_journal, _clock, NullLogger<FactWriter>.Instance);
        _list = new PhoneList(this, new Phones(_neighbours, _facts, Realm, [OurHost], _locations, _clock), _locations, _facts, Realm, _clock);
        return Task.CompletedTask;
    }

    public Task DisposeAsync() => _facts.DisposeAsync().AsTask();

    [Fact]
    public async Task A_registered_telephone_is_told_with_everything_that_is_known_of_it()
    {
        Has("ayse");
        var since = _clock.GetUtcNow();
        await RegisterAsync("ayse", Realm, Phone("sip:ayse@10.0.0.7:5066", SipTransportKind.Tcp) with { RegisteredAt = since, UserAgent = "Yealink", Q = 0.5 });
        _clock.Advance(TimeSpan.FromSeconds(100.4));
        var row = Assert.Single((await ListAsync()).Items);
        Assert.Equal(("ayse", Realm, "Ayşe", TelephoneState.Registered, false, false), (row.Extension, row.Realm, row.UserName, row.State, row.Disabled, row.ForeignRealm));
        Assert.Equal(("sip:ayse@sentiric", "sip:ayse@10.0.0.7:5066", "tcp", "203.0.113.9", 40001), (row.AddressOfRecord, row.Contact, row.Transport, row.SourceAddress, row.SourcePort));
        Assert.Equal(("Yealink", since, since.AddSeconds(600), 500L, 0.5, "call"), (row.UserAgent, row.RegisteredAt, row.ExpiresAt, row.ExpiresInSeconds, row.Q, row.CallId));
    }

    [Fact]
    public async Task An_extension_whose_telephone_is_away_is_told_as_such()
    {
        Has("ayse", "mehmet");
        _extensions.Add(new("mehmet", "elsewhere", Guid.Empty, "Mehmet", Disabled: true));
        _extensions.Add(new("[erased]", Realm, Guid.Empty, "[erased]", Disabled: true));
        await RegisterAsync("ayse", Realm, Phone("sip:ayse@10.0.0.7"));
        await RegisterAsync("mehmet", OurHost, Phone("sip:mehmet@10.0.0.8"));
        Assert.Equal(["ayse registered", "mehmet registered", "mehmet not_registered foreign disabled", "[erased] not_registered disabled"], Told(await ListAsync()));
        _clock.Advance(TimeSpan.FromSeconds(600));
        Assert.Equal(["ayse not_registered", "mehmet not_registered", "mehmet not_registered foreign disabled", "[erased] not_registered disabled"], Told(await ListAsync()));
        Assert.All((await ListAsync()).Items, row => Assert.Equal((null, null, null, null), (row.Id, row.Contact, row.ExpiresAt, row.ExpiresInSeconds)));
    }

    [Fact]
    public async Task Only_those_are_told_that_were_asked_for()
    {
        Has("ali", "ayse", "veli");
        await RegisterAsync("ayse", Realm, Phone("sip:ayse@10.0.0.7"), Phone("sip:ayse@10.0.0.8"));
        Assert.Equal(["ayse registered", "ayse registered"], Told(await ListAsync(state: TelephoneState.Registered)));
        Assert.Equal(["ali not_registered", "veli not_registered"], Told(await ListAsync(state: TelephoneState.NotRegistered)));
        Assert.Equal(["ali not_registered"], Told(await ListAsync(extension: "ali")));
    }

    /// <summary>Three parts of what the directory gives at once, so that the pages cross them.</summary>
    [Theory]
    [InlineData(null, 1_100, 7)]
    [InlineData(null, 1_100, 500)]
    [InlineData(TelephoneState.Registered, 110, 7)]
    [InlineData(TelephoneState.Registered, 110, 110)]
    [InlineData(TelephoneState.NotRegistered, 990, 400)]
    public async Task Pages_together_are_the_whole_list(TelephoneState? state, int extensions, int limit)
    {
        var names = Enumerable.Range(1_000, 1_100).Select(number => $"{number}").ToArray();
        Has(names);
        foreach (var name in names.Where((_, at) => at % 10 == 9))
        {
            await RegisterAsync(name, Realm, Phone($"sip:{name}@10.0.0.7"), Phone($"sip:{name}@10.0.0.8"));
        }

        var (told, cursor, pages) = (new List<RegistrationRow>(), (string?)null, 0);
        do
        {
            var page = await ListAsync(state: state, limit: limit, cursor: cursor);
            Assert.InRange(page.Items.DistinctBy(row => row.Extension).Count(), 1, limit);
            told.AddRange(page.Items);
            cursor = page.Next;
        }
        while (cursor is not null && ++pages < 1_000);
        Assert.Equal(extensions, told.Select(row => row.Extension).Distinct().Count());
        Assert.Equal(told.Select(row => row.Extension).Order(StringComparer.Ordinal), told.Select(row => row.Extension));
        Assert.Equal(state == TelephoneState.NotRegistered ? 0 : 220, told.Count(row => row.State == TelephoneState.Registered));
        Assert.Equal(told.Count, told.Select(row => (row.Extension, row.Id)).Distinct().Count());
    }

    [Fact]
    public async Task One_telephone_is_thrown_out_by_its_id_and_the_event_says_by_whom()
    {
        Has("ayse");
        await RegisterAsync("ayse", Realm, Phone("sip:ayse@10.0.0.7"), Phone("sip:ayse@10.0.0.8"));
        await RegisterAsync("ayse", OurHost, Phone("sip:ayse@10.0.0.7"));
        var rows = (await ListAsync()).Items;
        Assert.Equal(3, rows.Select(row => row.Id).Distinct().Count());
        Assert.True((await RemoveAsync(rows[1].Id!)).Ok);
        Assert.Equal([rows[0].Id, rows[2].Id], (await ListAsync()).Items.Select(row => row.Id));
        var gone = await _journal.UntilAsync<SipUnregistered>();
        Assert.Equal(new SipUnregistered(_clock.GetUtcNow(), "sip:ayse@sentiric", "sip:ayse@10.0.0.8"), Assert.Single(gone));
        Assert.Equal(("registration-sentiric-ayse", "key:admin"), (_journal.All[0].Stream, _journal.All[0].Actor));
    }

    [Fact]
    public async Task All_telephones_of_an_extension_are_thrown_out_by_its_name()
    {
        Has("ayse");
        await RegisterAsync("ayse", Realm, Phone("sip:ayse@10.0.0.7"), Phone("sip:ayse@10.0.0.8"));
        await RegisterAsync("ayse", OurHost, Phone("sip:ayse@10.0.0.7"));
        Assert.True((await RemoveAsync("ayse")).Ok);
        Assert.Equal(["ayse not_registered"], Told(await ListAsync()));
    }

    [Fact]
    public async Task Throwing_out_twice_is_quiet_and_a_stranger_is_refused()
    {
        Has("ayse");
        _neighbours.Owners["zeynep"] = "another";
        await RegisterAsync("zeynep", Realm, Phone("sip:zeynep@10.0.0.9"));
        Assert.True((await RemoveAsync("ayse")).Ok);
        Assert.True((await RemoveAsync("ayse:0123456789ab")).Ok);
        foreach (var stranger in new[] { "zeynep", "zeynep:0123456789ab", "nobody", "", ":" })
        {
            Assert.Equal("registration.unknown", (await RemoveAsync(stranger)).Refusal?.Code);
        }

        Assert.Single(await _locations.FindAsync("sip:zeynep@sentiric", None));
        // Facts are written in order: one that comes afterwards comes first.
        await RegisterAsync("ayse", Realm, Phone("sip:ayse@10.0.0.7"));
        await RemoveAsync("ayse");
        Assert.Single(await _journal.UntilAsync<SipUnregistered>());
    }

    ValueTask<IReadOnlyList<Extension>> IExtensions.ListAsync(ExtensionQuestion question, CancellationToken ct)
    {
        Assert.Equal(Tenant, question.Tenant);
        Assert.InRange(question.Limit, 1, ExtensionQuestion.MostAtOnce);
        return ValueTask.FromResult<IReadOnlyList<Extension>>([.. _extensions
            .Where(extension => question.Name is null || extension.Name == question.Name)
            .SkipWhile(extension => question.AfterName is not null && (extension.Name, extension.Realm) != (question.AfterName, question.AfterRealm))
            .Skip(question.AfterName is null ? 0 : 1).Take(question.Limit)]);
    }

    private void Has(params string[] names)
    {
        foreach (var name in names)
        {
            _extensions.Add(new(name, Realm, Neighbours.Caller, name == "ayse" ? "Ayşe" : name, Disabled: false));
            _neighbours.Owners[name] = Tenant;
        }
    }

    private SipLocation Phone(string contact, SipTransportKind transport = SipTransportKind.Udp) =>
        new(SipUri.Parse(contact), "call", 1, _clock.GetUtcNow().AddSeconds(600), IPEndPoint.Parse("203.0.113.9:40001"), transport);

    private async Task RegisterAsync(string name, string host, params SipLocation[] contacts) => await _locations.UpdateAsync($"sip:{name}@{host}", _ => contacts, None);

    private async Task<Sentiric.Contracts.Queries.Page<RegistrationRow>> ListAsync(string? extension = null, TelephoneState? state = null, int limit = 50, string? cursor = null) =>
        await _list.ListAsync(new(Tenant, extension, state, limit, cursor), None);

    private async Task<Sentiric.Contracts.Result<Done>> RemoveAsync(string which) => await _list.RemoveAsync(new(Tenant, which, "key:admin"), None);

    private static IEnumerable<string> Told(Sentiric.Contracts.Queries.Page<RegistrationRow> page) => page.Items.Select(row =>
        $"{row.Extension} {(row.State == TelephoneState.Registered ? "registered" : "not_registered")}{(row.ForeignRealm ? " foreign" : "")}{(row.Disabled ? " disabled" : "")}");
}
