using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;

namespace Sentiric.Dashboard;

/// <summary>The web console: files that are part of this assembly, served at /console. All its data comes over the public API.</summary>
public static class WebConsole
{
    private const string Index = "index.html";
    private static readonly EmbeddedFileProvider Files = new(typeof(WebConsole).Assembly, "Sentiric.Dashboard.wwwroot");
    private static readonly FileExtensionContentTypeProvider Types = new();

    public static IEndpointRouteBuilder MapDashboard(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", () => Results.Redirect("/console/")).ExcludeFromDescription();
        routes.MapGet("/console/{file?}", (HttpContext http, string? file) => Serve(http, file ?? Index)).ExcludeFromDescription();
        return routes;
    }

    private static IResult Serve(HttpContext http, string name)
    {
        var file = Files.GetFileInfo(name);
        if (!file.Exists || !Types.TryGetContentType(name, out var type))
        {
            return Results.NotFound();
        }

        Harden(http.Response.Headers);
        return Results.Stream(file.CreateReadStream(), type.StartsWith("text/", StringComparison.Ordinal) ? type + "; charset=utf-8" : type);
    }

    private static void Harden(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-cache";
    }
}
