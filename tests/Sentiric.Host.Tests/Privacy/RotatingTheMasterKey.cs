using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;
using Sentiric.Contracts.Events;
using Sentiric.EventStore;
using Sentiric.Testing.Loopback;
using Sentiric.Testing.Postgres;
using Xunit;

namespace Sentiric.Host.Tests.Privacy;

/// <summary>
/// One database through the life of its master keys, started anew each time: first, then second before first, then third before both, then third alone.
/// </summary>
[Trait("Category", "Slow")]
public sealed class RotatingTheMasterKey : IAsyncLifetime
{
    private const string AdminKey = "the-admin-key";
    private const string Name = "Zeynep Kaya";
    private readonly string _folder = Directory.CreateTempSubdirectory("sentiric-keys-").FullName;
    private readonly string _first = MasterKeys.NewKey("first"), _second = MasterKeys.NewKey("second"), _third = MasterKeys.NewKey("third");
    private string _database = "";

    public async Task InitializeAsync()
    {
        _database = await PostgresInstance.GetAsync();
        await File.WriteAllTextAsync(Path.Combine(_folder, "admin.key"), AdminKey);
    }

    public async Task DisposeAsync()
    {
        await PostgresInstance.DropAsync(_database);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Data_keys_are_wrapped_with_the_first_of_several_master_keys_over_HTTP_and_the_others_can_be_removed()
    {
        Guid early, late;
        await using (var app = await StartAsync(_first))
        {
            early = await UserAsync(app, Name);
            Assert.Equal("first", await RewrapAsync(app));
        }
        Assert.Equal(["first"], await KeysInUseAsync());

        await using (var app = await StartAsync(_second, _first))
        {
            late = await UserAsync(app, Name + " Kara");
            // What is new is wrapped with the key that stands first; what was there waits for the rotation.
            Assert.Equal(["first", "second"], await KeysInUseAsync());
            await SeesAsync(app, early, Name);
            Assert.Equal("second", await RewrapAsync(app));
            Assert.Equal(["second"], await KeysInUseAsync());
        }

        var before = await WrappedAsync();
        await using (var app = await StartAsync(_third, _second, _first))
        {
            Assert.Equal("third", await RewrapAsync(app));
            Assert.Equal(["third"], await KeysInUseAsync());
            // Asked again it has nothing to do.
            var once = await WrappedAsync();
            Assert.Equal("third", await RewrapAsync(app));
            Assert.Equal(once, await WrappedAsync());
            Assert.Empty(before.Intersect(once));
        }

        await using (var app = await StartAsync(_third))
        {
            await SeesAsync(app, early, Name);
            await SeesAsync(app, late, Name + " Kara");
        }
    }

    [Fact]
    public async Task A_platform_that_lacks_a_master_key_that_still_wraps_something_does_not_start()
    {
        await using (var app = await StartAsync(_first)) await UserAsync(app, Name);
        var refused = await Assert.ThrowsAnyAsync<Exception>(async () => await StartAsync(_second));
        Assert.Contains("first", refused.ToString(), StringComparison.Ordinal);
    }

    private async Task<LoopbackApp> StartAsync(params string[] masterKeys)
    {
        var app = await LoopbackApp.StartAsync(Composition.Build([], builder =>
        {
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["ConnectionStrings:Postgres"] = _database,
                ["Sip:Listen"] = "udp://127.0.0.1:0,tcp://127.0.0.1:0",
                ["Media:PortRange"] = "0",
                ["Recording:Folder"] = _folder,
                ["Speech:RemoteUrl"] = "http://127.0.0.1:1/",
                ["Gateway:AdminKeyFile"] = Path.Combine(_folder, "admin.key"),
                ["Demo:Seed"] = "true",
                ["Privacy:MasterKeys"] = string.Join(',', masterKeys),
            });
        }));
        app.Client.DefaultRequestHeaders.Add("X-Api-Key", AdminKey);
        return app;
    }

    private static async Task<Guid> UserAsync(LoopbackApp app, string name)
    {
        using var created = await app.Client.PostAsJsonAsync("/v1/users", new { name, type = "caller", language = "tr" });
        Assert.True(created.StatusCode == HttpStatusCode.Created, await created.Content.ReadAsStringAsync());
        return (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("user_id").GetGuid();
    }

    private static async Task SeesAsync(LoopbackApp app, Guid user, string name) =>
        Assert.Contains($"\"{name}\"", await app.Client.GetStringAsync($"/v1/events/streams/{Streams.User(user)}"), StringComparison.Ordinal);

    private static async Task<string?> RewrapAsync(LoopbackApp app)
    {
        using var answer = await app.Client.PostAsync("/v1/erasures/master-key", null);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key_id").GetString();
    }

    private Task<List<string>> KeysInUseAsync() => LinesAsync("select distinct kek_id from sx_subject_key where wrapped_dek is not null order by 1");

    private Task<List<string>> WrappedAsync() => LinesAsync("select encode(wrapped_dek, 'hex') from sx_subject_key where wrapped_dek is not null order by key_id");

    private async Task<List<string>> LinesAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(_database);
        await using var command = source.CreateCommand(sql);
        await using var rows = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await rows.ReadAsync()) lines.Add(rows.GetString(0));
        return lines;
    }
}
