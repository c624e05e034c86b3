using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.FileProviders;

namespace Sentiric.Dashboard;

/// <summary>The web console: files that are part of this assembly, served at /console. All its data comes over the public API.</summary>
public static class WebConsole
{
    private const string Path = "/console";

    public static IEndpointRouteBuilder MapDashboard(this WebApplication app)
    {
        var files = new EmbeddedFileProvider(typeof(WebConsole).Assembly, "Sentiric.Dashboard.wwwroot");
        app.UseStaticFiles(new StaticFileOptions
        {
            FileProvider = files,
            RequestPath = Path,
            OnPrepareResponse = c => Harden(c.Context.Response.Headers),
        });
        app.MapGet("/", () => Results.Redirect(Path + "/")).ExcludeFromDescription();
        app.MapGet(Path + "/{**page}", (HttpContext http) =>
        {
            Harden(http.Response.Headers);
            return Results.Stream(files.GetFileInfo("index.html").CreateReadStream(), "text/html; charset=utf-8");
        }).ExcludeFromDescription();
        return app;
    }

    private static void Harden(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; img-src 'self' data:";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-cache";
    }
}
