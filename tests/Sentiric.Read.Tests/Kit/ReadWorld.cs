using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.EventStore;
using Sentiric.Testing;
using Sentiric.Testing.Loopback;
using Sentiric.Testing.Postgres;

namespace Sentiric.Read.Tests.Kit;

/// <summary>A database of its own with the event store, every projection and the questions over HTTP. The header X-Tenant says who asks.</summary>
public sealed class ReadWorld : IAsyncLifetime
{
    private static readonly EventTypeMap Types = new(EventCatalog.All.Select(
        kind => new EventTypeEntry(kind.Type, StoredName.Of(kind.StoredName, kind.Version), EventCatalog.StoredJson(kind.Type))));

    private string _connection = "";
    private LoopbackApp _app = null!;

    public ManualTime Clock { get; } = new();

    public NpgsqlDataSource Source { get; private set; } = null!;

    public PostgresEventStore Store { get; private set; } = null!;

    public ProjectionDaemon Daemon { get; private set; } = null!;

    public string RecordingFolder { get; } = Directory.CreateTempSubdirectory("sentiric-read-").FullName;

    public async Task InitializeAsync()
    {
        _connection = await PostgresInstance.GetAsync(nameof(ReadWorld), FillAsync);
        Source = NpgsqlDataSource.Create(_connection);
        Store = new PostgresEventStore(Source, Types, Clock);
        Daemon = new ProjectionDaemon(Source, Store, ReadSide.Projections, Clock);
        _app = await LoopbackApp.StartAsync(Map, AddServices);
    }

    /// <summary>The tables of the store and of every read model, each caught up with nothing.</summary>
    private static async Task FillAsync(string connection)
    {
        await using var source = NpgsqlDataSource.Create(connection);
        await using var store = new PostgresEventStore(source, Types, TimeProvider.System);
        await store.EnsureSchemaAsync();
        await new ProjectionDaemon(source, store, ReadSide.Projections, TimeProvider.System).CatchUpAsync();
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await Store.DisposeAsync();
        await Source.DisposeAsync();
        await PostgresInstance.DropAsync(_connection);
        Directory.Delete(RecordingFolder, recursive: true);
    }

    /// <summary>Stores facts and brings every read model up to date.</summary>
    public async Task TellAsync(string tenant, string stream, params object[] facts)
    {
        await Store.AppendToStreamAsync(tenant, stream, ExpectedVersion.Any, [.. facts.Select(f => EventData.Of(f, new EventMetadata(Actor: "test", OccurredAt: ((IFact)f).At)))]);
        await Daemon.CatchUpAsync();
    }

    public async Task<HttpResponseMessage> AskAsync(string tenant, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-Tenant", tenant);
        return await _app.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public async Task<T> GetAsync<T>(string tenant, string path)
    {
        using var response = await AskAsync(tenant, path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonSerializer.Deserialize<T>(await response.Content.ReadAsStringAsync(), Wire.Json)!;
    }

    /// <summary>The code of the problem that a question gets.</summary>
    public async Task<string> RefusedAsync(string tenant, string path, HttpStatusCode status = HttpStatusCode.NotFound)
    {
        using var response = await AskAsync(tenant, path);
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return problem.RootElement.GetProperty("code").GetString()!;
    }

    /// <summary>The rows of a read model as PostgreSQL prints them, every column, sorted.</summary>
    public async Task<string> RowsAsync(ITableProjection projection)
    {
        var text = new StringBuilder();
        foreach (var table in projection.Tables)
        {
            await using var command = Source.CreateCommand($"select t::text from {table} t order by 1");
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                text.Append(table).Append(' ').AppendLine(reader.GetString(0));
            }
        }

        return text.ToString();
    }

    private void AddServices(IServiceCollection services)
    {
        services.AddSingleton(Source);
        services.AddSingleton<IEventStore>(Store);
        services.AddSingleton(Daemon);
        services.AddSingleton<IProjectionManager>(new ProjectionManager(Source, Store, Clock));
        services.AddSingleton<TimeProvider>(Clock);
        services.ConfigureHttpJsonOptions(o => Wire.Configure(o.SerializerOptions));
        services.AddReadSide(RecordingFolder);
    }

    private static void Map(WebApplication app)
    {
        app.Use((http, next) =>
        {
            http.Items["tenant"] = http.Request.Headers["X-Tenant"].FirstOrDefault();
            return next(http);
        });
        app.MapReadSide();
    }
}
