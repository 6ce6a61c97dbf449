// From degrees to pixels and back: Mercator, so that shapes stay shapes. One unit is the whole width of the world.

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const EARTH_KM = 40_075;

export const toX = (longitude) => (longitude + 180) / 360;
export const toY = (latitude) => {
  const sine = Math.sin((clamp(latitude, -85, 85) * Math.PI) / 180);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
};
const toLongitude = (x) => x * 360 - 180;
const toLatitude = (y) => (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;

const NEAREST = 2 ** 25;
const FARTHEST = 300;

/** What of the world is seen: its middle, and pixels per unit. */
export class View {
  constructor() {
    Object.assign(this, { x: 0.5, y: 0.35, scale: 1000, width: 1, height: 1 });
  }

  /** Pixels of a place. */
  at(latitude, longitude) {
    return [(toX(longitude) - this.x) * this.scale + this.width / 2, (toY(latitude) - this.y) * this.scale + this.height / 2];
  }

  /** Move by pixels. */
  pan(dx, dy) {
    this.x = clamp(this.x + dx / this.scale, 0, 1);
    this.y = clamp(this.y + dy / this.scale, 0, 1);
  }

  /** Come nearer by a factor; the place under the pixel stays where it is. */
  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const next = clamp(this.scale * factor, FARTHEST, NEAREST);
    const [ox, oy] = [px - this.width / 2, py - this.height / 2];
    this.x += ox / this.scale - ox / next;
    this.y += oy / this.scale - oy / next;
    this.scale = next;
  }

  /** Show all the places, with room around them. */
  fit(places, { margin = 48, nearest = 2 ** 21 } = {}) {
    if (places.length === 0) return;
    const xs = places.map((each) => toX(each.longitude));
    const ys = places.map((each) => toY(each.latitude));
    const [west, east, north, south] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const room = (pixels) => Math.max(pixels - 2 * margin, 40);
    this.x = (west + east) / 2;
    this.y = (north + south) / 2;
    this.scale = clamp(Math.min(room(this.width) / (east - west || 1e-9), room(this.height) / (south - north || 1e-9)), FARTHEST, nearest);
  }

  /** What is seen, as the API wants it: west,south,east,north. */
  box() {
    const [rx, ry] = [this.width / 2 / this.scale, this.height / 2 / this.scale];
    const edges = [toLongitude(this.x - rx), toLatitude(this.y + ry), toLongitude(this.x + rx), toLatitude(this.y - ry)];
    const limits = [[-180, 180], [-90, 90], [-180, 180], [-90, 90]];
    return edges.map((edge, place) => clamp(edge, ...limits[place]).toFixed(5)).join(",");
  }

  show(box) {
    const [west, south, east, north] = box.split(",").map(Number);
    this.x = (toX(west) + toX(east)) / 2;
    this.y = (toY(south) + toY(north)) / 2;
    // The larger of the two: a window of another shape shows at least what the box holds.
    this.scale = clamp(Math.min(this.width / (toX(east) - toX(west)), this.height / (toY(south) - toY(north))), FARTHEST, NEAREST);
  }

  /** A round distance and how many pixels it takes here. */
  ruler(longest = 110) {
    const kmPerPixel = (EARTH_KM * Math.cos((toLatitude(this.y) * Math.PI) / 180)) / this.scale;
    const most = kmPerPixel * longest;
    const power = 10 ** Math.floor(Math.log10(most));
    const km = [5, 2, 1].map((step) => step * power).find((each) => each <= most);
    return { pixels: km / kmPerPixel, words: km >= 1 ? `${km} km` : `${Math.round(km * 1000)} m` };
  }

  /** Lines of latitude and longitude at a round distance in degrees, at most about ten of them. */
  graticule() {
    const [west, south, east, north] = this.box().split(",").map(Number);
    const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30].find((each) => (east - west) / each <= 7) ?? 45;
    const lines = (from, to) => {
      const found = [];
      for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(Number(at.toFixed(4)));
      return found;
    };
    return { longitudes: lines(west, east), latitudes: lines(south, north) };
  }
}

/** Places that would cover each other, as groups: greedy, nearest seed within `radius` pixels, in the given order. */
export function groups(places, view, { radius = 44 } = {}) {
  const cells = new Map();
  const found = [];
  const near = (x, y) => {
    const [column, row] = [Math.floor(x / radius), Math.floor(y / radius)];
    for (let dx = -1; dx <= 1; dx += 1) {
      for (let dy = -1; dy <= 1; dy += 1) {
        for (const group of cells.get(`${column + dx}:${row + dy}`) ?? []) {
          if (Math.hypot(group.x - x, group.y - y) < radius) return group;
        }
      }
    }
    return null;
  };
  for (const place of places) {
    const [x, y] = view.at(place.latitude, place.longitude);
    const group = near(x, y);
    if (group) group.places.push(place);
    else {
      const made = { x, y, places: [place] };
      const cell = `${Math.floor(x / radius)}:${Math.floor(y / radius)}`;
      if (!cells.has(cell)) cells.set(cell, []);
      cells.get(cell).push(made);
      found.push(made);
    }
  }
  return found;
}
